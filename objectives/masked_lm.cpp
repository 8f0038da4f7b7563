// Masked language modeling: some tokens of [CLS] text [SEP] are hidden or replaced, and only these are
// predicted (Devlin et al., "BERT", 2018).
//
//   text    101 1996 4248 2829 4419 14523 2058 1996 13971 3899 102   [CLS] the quick brown fox ... dog [SEP]
//   ids     101 1996 4248  103 2829 14523 2058 1996 13971 3899 102
//   labels  3:2829 4:4419 9:3899                                     no loss at other positions
//
// (3 was masked; 4 got a random id, which happens to be "brown"; 9 was kept.)
//
// Dialects of how tokens are chosen and replaced: objectives/parts/masking.h. With `adaptive` ids that the model predicts
// well are chosen less often: objectives/parts/id_weights.h.
#include "core/drawing_objective.h"
#include "core/registry.h"
#include "objectives/parts/id_weights.h"
#include "objectives/parts/losses.h"
#include "objectives/parts/masking.h"
#include "objectives/parts/requirements.h"

namespace lmzoo {
namespace {

struct MaskedLmOptions {
  MaskingDialect dialect = MaskingDialect::bert;
  Rate rate = 0.15;
  std::optional<double> eval_rate{};
  std::optional<double> mask_share{};
  std::optional<double> random_share{};
  std::optional<int64_t> max_predictions{};
  bool whole_words = false;
  std::optional<AdaptiveOptions> adaptive{};

  static constexpr void fields(auto& self, auto& visit) {
    visit_masking(self, visit);
    visit("adaptive",
          self.adaptive,
          "ids that the model predicts well are hidden less often, by what it has learned until the last "
          "evaluation "
          "(dialect hf); absent: all alike");
  }
};

class MaskedLm final : public DrawingObjective {
 public:
  MaskedLm(const MaskedLmOptions& options, const ObjectiveContext& context)
      : masking_(masking_options(options), context.vocabulary, "masked_lm"),
        length_(context.sequence_length),
        cls_(required_token(context.vocabulary.cls, "[CLS]", "masked_lm")),
        sep_(required_token(context.vocabulary.sep, "[SEP]", "masked_lm")) {
    require_plain_text(context.record, "masked_lm");
    require_length(length_, 3, "masked_lm");
    check(
        !masking_.repeats() || context.architecture != Architecture::encoder_decoder,
        "dialect electra counts labels twice that were drawn twice, but an encoder-decoder writes the whole "
        "text, each token once; take another dialect");
    if (options.adaptive) {
      check(masking_.takes_weights(),
            "adaptive chooses tokens one by one: it goes with dialect hf, without whole_words");
      check(context.architecture == Architecture::encoder_only,
            "adaptive follows the predictions of hidden tokens: it needs an encoder-only model");
      weights_ =
          register_module("ids", std::make_shared<IdWeights>(*options.adaptive, context.vocabulary.size));
    }
  }

  ObjectiveForm form() const override { return {.layout = Layout::in_place, .needs_both_sides = true}; }
  ObjectiveLengths lengths() const override {
    return {.raw = length_ - 2, .source = length_, .target = 0, .added = 2};
  }

  Example example(const Sample& sample, const TrainingPlace& place, Stream& stream) const override {
    // Evaluations must be comparable: in them all ids are alike.
    const auto weights =
        weights_ != nullptr && !place.evaluates ? weights_->values() : std::span<const double>{};
    MaskedText masked = masking_.corrupt(
        framed_text(cls_, sample.ids, sep_), {.before = 1, .after = 1}, place, stream, weights);
    Example made = in_place(std::move(masked.ids), std::move(masked.positions), std::move(masked.labels));
    made.targets.front().weights = std::move(masked.weights);
    return made;
  }

  std::vector<Promise> promises() const override {
    return masking_.promises([cls = cls_, sep = sep_](const SeenExample& seen) {
      return view_of_masked(framed_text(cls, seen.sample.ids, sep), seen.example);
    });
  }

  bool adapts() const override { return weights_ != nullptr; }
  void follow() override { weights_->follow(); }
  void adapt() override { weights_->adapt(); }

  Losses loss(Model& model, const Batch& batch, Stream&) override {
    if (weights_ == nullptr || !is_training()) {
      return {language_model_loss(model, batch)};
    }
    const SlotBatch& hidden = batch.slots.front();
    const Projection logits = model.project(model.hidden_at(batch.inputs, hidden.wanted()));
    weights_->note(logits, hidden.labels);
    return {language_model_loss(logits, batch)};
  }

 private:
  Masking masking_;
  int64_t length_;
  int64_t cls_, sep_;
  std::shared_ptr<IdWeights> weights_;  // null: all ids are alike
};

}  // namespace

void register_masked_lm(Registry& registry) {
  registry.add(ObjectiveKind{
      .name = "masked_lm",
      .summary = "predict hidden tokens from both sides",
      .defaults = AnyOptions(MaskedLmOptions{}),
      .make = [](const AnyOptions& options, const ObjectiveContext& context) -> std::shared_ptr<Objective> {
        return std::make_shared<MaskedLm>(options.as<MaskedLmOptions>(), context);
      }});
}

}  // namespace lmzoo
