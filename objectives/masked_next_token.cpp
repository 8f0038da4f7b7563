// Masked next-token prediction: tokens are hidden as in masked LM and seen from both sides, but each is predicted at
// the state of the position before it, as a model of the next token does (BehnamGhader et al. 2024, "LLM2Vec", section
// 2.2). So one model and one head learn both tasks, and `causal_share` of the samples is plain next-token prediction
// with causal attention (Charpentier & Samuel 2024, "GPT or BERT: why not both?", arXiv 2410.24159, section 3).
//
//   text      7 8 9 10, begin symbol 2, mask 4; 8 and 10 are hidden
//   masked    reads 2 7 4 9     predicts 8 at position 1 and 10 at position 3     attention is full
//   causal    reads 2 7 8 9     predicts 7 8 9 10                                 attention is causal
//
// The last id is only predicted, never read. The begin symbol is [CLS], or bos or eos where a tokenizer has none.
// Each of the two losses is a mean over its own labels, weighted by its share of the samples.
#include "core/drawing_objective.h"
#include "core/registry.h"
#include "objectives/parts/losses.h"
#include "objectives/parts/masking.h"
#include "objectives/parts/requirements.h"

namespace lmzoo {
namespace {

struct MaskedNextTokenOptions {
  MaskingDialect dialect = MaskingDialect::bert;
  Rate rate = 0.15;
  std::optional<double> eval_rate{};
  std::optional<double> mask_share{};
  std::optional<double> random_share{};
  std::optional<int64_t> max_predictions{};
  bool whole_words = false;
  double causal_share = 0;  // GPT-BERT: 0.5 and others

  static constexpr void fields(auto& self, auto& visit) {
    visit_masking(self, visit);
    visit("causal_share",
          self.causal_share,
          "share of the samples that predict every next token with causal attention (decoder-only models)",
          half_open(0, 1));
  }
};

class MaskedNextToken final : public DrawingObjective {
 public:
  MaskedNextToken(const MaskedNextTokenOptions& options, const ObjectiveContext& context)
      : masking_(masking_options(options), context.vocabulary, "masked_next_token"),
        length_(context.sequence_length),
        causal_share_(options.causal_share) {
    const Vocabulary& vocabulary = context.vocabulary;
    const auto& begin = vocabulary.cls ? vocabulary.cls : vocabulary.bos ? vocabulary.bos : vocabulary.eos;
    begin_ = required_token(begin, "[CLS], bos or eos", "masked_next_token");
    require_plain_text(context.record, "masked_next_token");
    require_length(length_, 2, "masked_next_token");
    check(context.architecture != Architecture::encoder_decoder,
          "masked_next_token reads and predicts in one sequence: it needs a decoder-only or an encoder-only "
          "model");
    check(causal_share_ == 0 || context.architecture == Architecture::decoder_only,
          "causal_share is {:g}, but every position of an encoder-only model sees the next token; take a "
          "decoder-only model or causal_share 0",
          causal_share_);
  }

  // A decoder-only model gets both sides from the example, not from its architecture.
  ObjectiveForm form() const override { return {.layout = Layout::in_place}; }
  std::vector<Slot> slots() const override {
    return is_hybrid() ? std::vector<Slot>{{.name = "masked"}, {.name = "next"}}
                       : std::vector<Slot>{{.name = "masked"}};
  }
  ObjectiveLengths lengths() const override { return {.raw = length_, .source = length_}; }
  std::optional<int64_t> begins_with() const override { return begin_; }

  Example example(const Sample& sample, const TrainingPlace& place, Stream& stream) const override {
    if (is_hybrid() && stream.uniform() < causal_share_) {
      std::vector<int64_t> ids{begin_};
      ids.insert(ids.end(), sample.ids.begin(), sample.ids.end());
      Example made = next_tokens(std::move(ids));
      made.targets.front().slot = 1;
      return made;
    }
    // Position p of the text stands at p + 1 and is predicted at p.
    MaskedText masked = masking_.corrupt(sample.ids, {}, place, stream);
    std::vector<int64_t> ids{begin_};
    ids.insert(ids.end(), masked.ids.begin(), masked.ids.end() - 1);
    Example made = in_place(std::move(ids), std::move(masked.positions), std::move(masked.labels));
    made.targets.front().weights = std::move(masked.weights);
    made.sees_both_sides = true;
    return made;
  }

  std::vector<Promise> promises() const override {
    std::vector<Promise> all = masking_.promises(view_of_next);
    if (is_hybrid()) {
      all.push_back(promise<Mean>("texts that predict every next token",
                                  {},
                                  [share = causal_share_](const SeenExample& seen, Mean& mean) {
                                    mean.add_case(seen.example.targets.front().slot == 1, share);
                                  }));
    }
    return all;
  }

  Losses loss(Model& model, const Batch& batch, Stream&) override {
    if (!is_hybrid()) {
      return {language_model_loss(model, batch)};
    }
    const Tensor states = model.hidden(batch.inputs);  // [N, D]
    LossTerm masked = language_model_loss(model, states, batch, 0);
    LossTerm next = language_model_loss(model, states, batch, 1);
    masked.weight = 1 - causal_share_;
    next.weight = causal_share_;
    return {std::move(masked), std::move(next)};
  }

 private:
  // The text stands one behind its predictions, and its last token is not read.
  static std::optional<MaskedView> view_of_next(const SeenExample& seen) {
    if (seen.example.targets.front().slot == 1) {
      return std::nullopt;
    }
    MaskedView view = view_of_masked(seen.sample.ids, seen.example);
    view.shown.erase(view.shown.begin());
    view.shown.push_back(kUnseen);
    return view;
  }

  bool is_hybrid() const { return causal_share_ > 0; }

  Masking masking_;
  int64_t length_;
  double causal_share_;
  int64_t begin_ = 0;
};

}  // namespace

void register_masked_next_token(Registry& registry) {
  registry.add(ObjectiveKind{
      .name = "masked_next_token",
      .summary = "predict hidden tokens at the position before them, perhaps beside the next token",
      .defaults = AnyOptions(MaskedNextTokenOptions{}),
      .make = [](const AnyOptions& options, const ObjectiveContext& context) -> std::shared_ptr<Objective> {
        return std::make_shared<MaskedNextToken>(options.as<MaskedNextTokenOptions>(), context);
      }});
}

}  // namespace lmzoo
