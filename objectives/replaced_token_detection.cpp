// Replaced-token detection (Clark et al. 2020, "ELECTRA: pre-training text encoders as discriminators rather than
// generators", section 2): a small generator, trained as a masked language model, fills the masked positions with tokens
// that it holds for likely, and the run's model, the discriminator, tells of every token whether it is the text's.
//
//   text           [CLS] the chef cooked the meal [SEP]
//   generator      [CLS] [MASK] chef [MASK] the meal [SEP]   labels  1:the 3:cooked
//   discriminator  [CLS] the chef ate the meal [SEP]         labels  0 0 0 1 0 0 0
//
// (The generator was right about "the": what equals the original is no replacement.) The loss is
//
//   L_MLM(generator) + weight · L_disc(discriminator),   weight = 50
//
// each a mean over its own targets: masked positions, and all. Nothing flows back through the drawn tokens. Generator and
// discriminator share their embeddings, as in the authors' code (modeling.py: tokens, positions, segments and their norm);
// a generator that is narrower maps them to its own width. `generator` is a model of its own with all of its options;
// the authors' is as deep as the discriminator, with a quarter (small) or third (base) of its width, heads and ffn_width:
//
//   model:     {type: bert, layers: 12, width: 256, heads: 4, ffn_width: 1024, lm_head: false}
//   objective: {type: replaced_token_detection, generator: {type: bert, layers: 12, width: 64, heads: 1, ffn_width: 256}}
//
// Unlike the authors' code, which averages two draws for a position that was masked twice, it is drawn for once.
//
// Legend: N positions, K masked ones, D width, E embedding width, V vocabulary.
#include <ATen/core/Reduction.h>
#include <ATen/ops/binary_cross_entropy_with_logits.h>

#include "core/registry.h"
#include "nn/kernels/elementwise.h"
#include "nn/linear_cross_entropy.h"
#include "objectives/parts/draw_ids.h"
#include "objectives/parts/heads.h"
#include "objectives/parts/masking.h"
#include "objectives/parts/requirements.h"
#include "objectives/parts/task_objective.h"

namespace lmzoo {
namespace {

struct ReplacedTokenOptions {
  NestedChoice generator{};
  bool tied_embeddings = true;
  double weight = 50;  // of the discriminator's loss, which is smaller by far: two classes instead of V
  MaskingDialect dialect = MaskingDialect::electra;
  Rate rate = 0.15;
  std::optional<double> eval_rate{};
  std::optional<double> mask_share{};
  std::optional<double> random_share{};
  std::optional<int64_t> max_predictions{};
  bool whole_words = false;

  static constexpr void fields(auto& self, auto& visit) {
    visit("generator", self.generator, "the model that proposes tokens, smaller than the run's own");
    visit("tied_embeddings", self.tied_embeddings, "whether both models have the same embeddings");
    visit("weight", self.weight, "of the discriminator's loss beside the generator's", at_least(0));
    visit_masking(self, visit);
  }
};

class ReplacedTokenDetection final : public Objective {
 public:
  ReplacedTokenDetection(const ReplacedTokenOptions& options, const ObjectiveContext& context)
      : generator_choice_(options.generator),
        weight_(options.weight),
        masking_(masking_options(options), context.vocabulary, kName),
        length_(context.sequence_length),
        cls_(required_token(context.vocabulary.cls, "[CLS]", kName)),
        sep_(required_token(context.vocabulary.sep, "[SEP]", kName)) {
    require_plain_text(context.record, kName);
    require_length(length_, 3, kName);
    check(context.architecture == Architecture::encoder_only,
          "{} tells of every token whether it is the text's, from both sides; it needs an encoder-only model",
          kName);
    const auto make = options.tied_embeddings ? context.make_model_on_embeddings : context.make_model;
    generator_ = register_module("generator", make(options.generator));
    check(generator_->architecture() == Architecture::encoder_only,
          "generator: {} does not fill masks; it must be an encoder-only model, as bert",
          options.generator.type());
    check(generator_->max_length() >= length_,
          "generator takes at most {} positions, but data.sequence_length is {}",
          generator_->max_length(),
          length_);
    dense_ = register_module("dense", new_head_map(context.width, context.width));
    output_ = register_module("output", new_head_map(context.width, 1));
  }

  ObjectiveForm form() const override { return {.layout = Layout::in_place, .needs_both_sides = true}; }
  std::vector<Slot> slots() const override {
    return {{.name = "discriminator", .predicts = Predicts::classes, .classes = {"original", "replaced"}},
            {.name = "generator"}};
  }
  ObjectiveLengths lengths() const override { return {.raw = length_ - 2, .source = length_, .added = 2}; }
  std::vector<FurtherModel> further_models() const override {
    return {{.name = "generator",
             .type = generator_choice_.type(),
             .options = generator_choice_.options(),
             .model = generator_}};
  }

  // What the generator reads. Which tokens are replaced is known when it has spoken: until then, none.
  Example example(const Sample& sample, const TrainingPlace& place, Stream& stream) const override {
    std::vector<int64_t> ids{cls_};
    ids.insert(ids.end(), sample.ids.begin(), sample.ids.end());
    ids.push_back(sep_);
    Target all{.slot = kDiscriminator, .labels = std::vector<int64_t>(ids.size(), 0)};
    for (int64_t position = 0; position < std::ssize(ids); ++position) {
      all.at.push_back(position);
    }
    MaskedText masked = masking_.corrupt(std::move(ids), {.before = 1, .after = 1}, place, stream);
    Target hidden{.slot = kGenerator,
                  .at = std::move(masked.positions),
                  .labels = std::move(masked.labels),
                  .weights = std::move(masked.weights)};
    return {.layout = Layout::in_place,
            .sequences = {{.ids = std::move(masked.ids)}},
            .targets = {std::move(all), std::move(hidden)}};
  }

  Losses loss(Model& model, const Batch& batch, Stream& stream) override {
    return tell(model, batch, stream).losses;
  }

  // f1, precision and recall of the replaced tokens are measured of all tokens together.
  Losses loss_and_predictions(Model& model,
                              const Batch& batch,
                              Stream& stream,
                              Predictions& predictions) override {
    Told told = tell(model, batch, stream);
    predictions.classes.append({.given = list_of(told.guessed), .expected = list_of(told.replaced)});
    return std::move(told.losses);
  }

 private:
  static constexpr std::string_view kName = "replaced_token_detection";
  static constexpr int64_t kDiscriminator = 0, kGenerator = 1;  // slots

  struct Told {
    Losses losses;
    Tensor replaced, guessed;  // [N] bool
  };

  Told tell(Model& model, const Batch& batch, Stream& stream) {
    const SlotBatch& masked = batch.slots.at(kGenerator);
    const Projection logits =
        generator_->project(generator_->hidden_at(batch.inputs, masked.wanted()));  // [K, E]
    const CrossEntropy entropy = linear_cross_entropy(logits, {masked.labels, masked.weights});

    const Tensor& read = batch.inputs.ids;  // [N] with masks
    const Tensor text = read.index_copy(0, masked.rows, masked.labels);
    Inputs filled = batch.inputs;
    filled.ids = read.index_copy(0, masked.rows, draw_ids(logits, stream));

    const SlotBatch& all = batch.slots.at(kDiscriminator);
    const Tensor replaced = filled.ids.ne(text).index_select(0, all.rows);
    const Tensor scores = discriminate(model.hidden_at(filled, all.wanted()));  // [N]
    const Tensor guessed = scores.detach().gt(0);
    const Tensor sum = at::binary_cross_entropy_with_logits(
        scores, replaced.to(scores.scalar_type()), {}, {}, at::Reduction::Sum);
    return {{{.slot = kDiscriminator,
              .sum = sum,
              .weight = weight_,
              .metrics = {{"discriminator_loss", sum.detach()},
                          {"correct", guessed.eq(replaced).sum()},
                          {"replaced", replaced.sum()}}},
             {.slot = kGenerator, .sum = entropy.sum, .metrics = {{"correct", entropy.correct}}}},
            replaced,
            guessed};
  }

  // w_2 gelu(W_1 h + b_1) + b_2 (modeling.py of the authors): [N, D] -> [N], over 0: replaced
  Tensor discriminate(const Tensor& states) const {
    const Branch dense = dense_->branch(states);
    const Tensor scores =
        output_->forward(activate({.x = dense.x, .bias = dense.bias}, Activation::gelu)).squeeze(1);
    return scores.scalar_type() == at::kDouble ? scores : scores.to(at::kFloat);
  }

  NestedChoice generator_choice_;
  double weight_;
  Masking masking_;
  int64_t length_;
  int64_t cls_, sep_;
  std::shared_ptr<Model> generator_;
  std::shared_ptr<Linear> dense_, output_;
};

}  // namespace

void register_replaced_token_detection(Registry& registry) {
  registry.add(ObjectiveKind{
      .name = "replaced_token_detection",
      .summary = "tell the tokens of a small masked language model from those of the text",
      .defaults = AnyOptions(ReplacedTokenOptions{.generator = registry.nested_model("bert")}),
      .make = [](const AnyOptions& options, const ObjectiveContext& context) -> std::shared_ptr<Objective> {
        return std::make_shared<ReplacedTokenDetection>(options.as<ReplacedTokenOptions>(), context);
      }});
}

}  // namespace lmzoo
