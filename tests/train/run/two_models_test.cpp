// An objective with a second model of the zoo inside, as replaced-token detection has a generator: the option that
// chooses it is listed once, and its weights are those of the run.
#include <ATen/ops/binary_cross_entropy_with_logits.h>
#include <ATen/ops/multinomial.h>

#include "core/parameters.h"
#include "objectives/parts/heads.h"
#include "objectives/parts/losses.h"
#include "support/catch.h"
#include "train/loop/step.h"
#include "train/rules.h"
#include "train/run/assemble.h"
#include "train/yaml/bind.h"

using namespace lmzoo;
using Catch::Matchers::Contains;

namespace {

struct ReplacedOptions {
  NestedChoice generator;
  double weight = 50;

  static constexpr void fields(auto& self, auto& visit) {
    visit("generator", self.generator, "the model that proposes tokens");
    visit("weight", self.weight, "of telling the replaced tokens", at_least(0));
  }
};

// Every third token is masked; the generator fills it in, and the model tells which tokens are not the text's.
class Replaced final : public Objective {
 public:
  Replaced(const ReplacedOptions& options, const ObjectiveContext& context)
      : weight_(options.weight), length_(context.sequence_length) {
    generator_ = register_module("generator", context.make_model(options.generator));
    check(generator_->architecture() == Architecture::encoder_only, "generator must be an encoder");
    head_ = register_module("head", new_head_map(context.width, 1));
  }

  ObjectiveForm form() const override { return {.layout = Layout::in_place, .needs_both_sides = true}; }
  std::vector<Slot> slots() const override {
    return {{.name = "labels"}, {.name = "replaced", .predicts = Predicts::numbers}};
  }
  ObjectiveLengths lengths() const override { return {.raw = length_, .source = length_}; }

  Example example(const Sample& sample, const TrainingPlace&, Stream&) const override {
    Example made = in_place(sample.ids, {}, {});
    Target told{.slot = 1};
    for (int64_t i = 0; i < std::ssize(sample.ids); ++i) {
      if (i % 3 == 0) {
        made.targets[0].at.push_back(i);
        made.targets[0].labels.push_back(sample.ids[static_cast<size_t>(i)]);
      }
      told.at.push_back(i);
      told.values.push_back(0);  // known when the generator has spoken
    }
    made.targets.push_back(told);
    return made;
  }

  Losses loss(Model& model, const Batch& batch, Stream& stream) override {
    const SlotBatch& masked = batch.slots[0];
    Inputs inputs = batch.inputs;
    inputs.ids = batch.inputs.ids.index_fill(0, masked.rows, 0);
    const Tensor logits = generator_->logits(generator_->hidden_at(inputs, masked.wanted()));  // [K, V]
    at::manual_seed(stream.bits());
    const Tensor drawn = logits.detach().softmax(1).multinomial(1).squeeze(1);
    inputs.ids = batch.inputs.ids.index_copy(0, masked.rows, drawn);
    const Tensor wrong = inputs.ids.ne(batch.inputs.ids).to(at::kFloat);  // [N]
    const Tensor scores = head_->forward(model.hidden(inputs)).squeeze(1);
    const Tensor told = at::binary_cross_entropy_with_logits(scores, wrong, {}, {}, at::Reduction::Sum);
    return {class_loss(logits, masked, 0), {.slot = 1, .sum = told, .weight = weight_}};
  }

 private:
  double weight_;
  int64_t length_;
  std::shared_ptr<Model> generator_;
  std::shared_ptr<Linear> head_;
};

Registry with_replaced() {
  Registry registry = make_registry();
  registry.add(ObjectiveKind{
      .name = "replaced",
      .summary = "a test",
      .defaults = AnyOptions(ReplacedOptions{.generator = registry.nested_model("bert")}),
      .make = [](const AnyOptions& options, const ObjectiveContext& context) -> std::shared_ptr<Objective> {
        return std::make_shared<Replaced>(options.as<ReplacedOptions>(), context);
      }});
  return registry;
}

std::string yaml(const std::string& objective) {
  return "name: two\n"
         "tokenizer: {type: char}\n"
         "data: {train: {files: [configs/debug/data/train.txt]}, sequence_length: 32}\n"
         "model: {type: bert, layers: 1, width: 16, heads: 2, ffn_width: 32}\n"
         "objective: " +
         objective + "\n";
}

LoadedConfig two_models_config(const Registry& registry, const std::string& objective) {
  return parse_run_config(yaml(objective), "two.yaml", {}, registry);
}

}  // namespace

TEST_CASE("an option holds a model of the zoo: read, dumped, described, refused as every field is") {
  const Registry registry = with_replaced();
  const std::string given = "{type: replaced, generator: {type: bert, layers: 2, width: 8, heads: 2}}";
  const LoadedConfig loaded = two_models_config(registry, given);
  const auto& options = loaded.config.objective.options.as<ReplacedOptions>();
  CHECK(options.generator.type() == "bert");
  const std::string dumped = to_yaml(dump(loaded.config));
  CHECK_THAT(dumped, Contains("generator:"));
  CHECK(to_yaml(dump(parse_run_config(dumped, "again.yaml", {}, registry).config)) == dumped);

  CHECK_THROWS_WITH(two_models_config(registry, "{type: replaced, generator: {type: bert, layer: 2}}"),
                    Contains("objective.generator.layer: unknown key") &&
                        Contains("(did you mean 'layers'?)") && Contains("two.yaml:5"));
  CHECK_THROWS_WITH(
      two_models_config(registry, "{type: replaced, generator: {type: brt}}"),
      Contains("objective.generator.type: no such choice 'brt'") && Contains("(did you mean 'bert'?)"));
  CHECK_THROWS_WITH(two_models_config(registry, "{type: replaced, generator: {type: bert, layers: 0}}"),
                    Contains("objective.generator.layers: is 0, but must be in [1, 1000]"));

  const std::string schema = run_config_schema(registry).dump();
  CHECK_THAT(schema, Contains("\"generator\""));
}

TEST_CASE("two models of one objective are trained together; the generator's draws follow the stream") {
  const Registry registry = with_replaced();
  const LoadedConfig loaded = two_models_config(
      registry, "{type: replaced, generator: {type: bert, layers: 1, width: 8, heads: 2, ffn_width: 16}}");
  Vocabulary vocabulary;
  vocabulary.size = 40;
  const Parts parts = build_parts(loaded, registry, vocabulary, {});
  const NamedTensors all = weights(*parts.model, *parts.objective);
  CHECK(std::ranges::any_of(
      all, [](const NamedTensor& entry) { return entry.name == "objective.generator.tokens.weight"; }));
  const Batch batch =
      full_windows(*parts.objective, Architecture::encoder_only, vocabulary, parts.shape(), 4);
  const auto loss_of = [&](uint64_t key) {
    Stream stream({.seed = key, .purpose = Purpose::loss});
    return mean_loss(parts.objective->loss(*parts.model, batch, stream), batch).item<double>();
  };
  parts.model->eval();
  parts.objective->eval();
  CHECK(loss_of(1) == loss_of(1));
  CHECK(loss_of(1) != loss_of(2));
  parts.objective->train();
  const auto optimizer =
      test::make_rule("adamw", {.parameters = trainable(*parts.model, *parts.objective), .clip_norm = 1});
  double first = 0, last = 0;
  for (int64_t step = 1; step <= 30; ++step) {
    const StepOutcome outcome = train_step(
        {.model = *parts.model, .objective = *parts.objective, .optimizer = *optimizer}, {batch}, step, 1e-2);
    last = outcome.values[0].item<double>() / outcome.work.total;
    first = step == 1 ? last : first;
  }
  CHECK(last < 0.7 * first);
}
