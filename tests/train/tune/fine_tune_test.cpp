// Which weights learn, how fast and since when: levels, rates, schedules, refusals.
#include "train/tune/fine_tune.h"

#include <cmath>
#include <filesystem>
#include <map>

#include "base/check.h"
#include "nn/linear.h"
#include "nn/low_rank.h"
#include "support/catch.h"
#include "support/files.h"
#include "train/debug_configs.h"
#include "train/fakes.h"
#include "train/run/assemble.h"
#include "train/run/plan.h"

using namespace lmzoo;
using namespace lmzoo::test;
using Catch::Matchers::Contains;

namespace {

Parts parts_of(const std::string& name, const std::vector<std::string>& changes = {}) {
  const LoadedConfig loaded = debug_config(name, changes);
  const std::vector<std::string> classes{"bad", "good"};
  return build_parts(loaded, registry(), foresee_vocabulary(loaded, false).vocabulary, classes);
}

std::map<std::string, int64_t> levels_of(const Parts& parts) {
  const NamedTensors all = weights(*parts.model, *parts.objective);
  const std::vector<int64_t> levels = parameter_levels(*parts.model, all);
  std::map<std::string, int64_t> by_name;
  for (size_t i = 0; i < all.size(); ++i) {
    by_name[all[i].name] = levels[i];
  }
  return by_name;
}

std::vector<std::string> names_of(const NamedTensors& tensors) {
  std::vector<std::string> names;
  for (const NamedTensor& entry : tensors) {
    names.push_back(entry.name);
  }
  return names;
}

}  // namespace

TEST_CASE("levels count from the heads down to the embeddings, in every family") {
  auto bert = levels_of(parts_of("classify", {"model.layers=3", "model.pooler=true"}));
  CHECK(bert.at("objective.output.weight") == 0);
  CHECK(bert.at("model.head.weight") == 0);
  CHECK(bert.at("model.head_bias") == 0);
  CHECK(bert.at("model.pooler.bias") == 0);
  CHECK(bert.at("model.stack.block2.attention.qkv.weight") == 1);
  CHECK(bert.at("model.stack.block1.feed_forward_norm.weight") == 2);
  CHECK(bert.at("model.stack.block0.attention_norm.bias") == 3);
  for (const std::string name : {"tokens", "positions", "token_types", "embedding_norm"}) {
    CHECK(bert.at("model." + name + ".weight") == 4);
  }
  auto gpt = levels_of(parts_of("gpt", {"model.tie_embeddings=false"}));
  CHECK(gpt.at("model.head.weight") == 0);
  CHECK(gpt.at("model.stack.final_norm.weight") == 0);
  CHECK(gpt.at("model.stack.block1.feed_forward.in.weight") == 1);
  CHECK(gpt.at("model.tokens.weight") == 3);
  auto t5 = levels_of(parts_of("t5", {"model.decoder_layers=1"}));
  CHECK(t5.at("model.encoder.block1.attention.qkv.weight") == 1);
  CHECK(t5.at("model.encoder.block0.attention.qkv.weight") == 2);
  CHECK(t5.at("model.decoder.block0.cross_attention.kv.weight") == 1);
  CHECK(t5.at("model.encoder.final_norm.weight") == 0);
  CHECK(t5.at("model.tokens.weight") == 3);
}

TEST_CASE("a level's rate is the decay to the power of the level, and 1 without a decay") {
  const Parts parts = parts_of("classify", {"model.layers=3"});
  const NamedTensors all = weights(*parts.model, *parts.objective);
  const std::vector<double> rates = rate_multipliers(*parts.model, all, 0.8);
  for (size_t i = 0; i < all.size(); ++i) {
    const std::string& name = all[i].name;
    const double expected = name.starts_with("objective.")            ? 1
                            : name.starts_with("model.head")          ? 1
                            : name.starts_with("model.stack.block2.") ? 0.8
                            : name.starts_with("model.stack.block1.") ? 0.8 * 0.8
                            : name.starts_with("model.stack.block0.") ? 0.8 * 0.8 * 0.8
                                                                      : 0.8 * 0.8 * 0.8 * 0.8;
    CAPTURE(name);
    CHECK(rates[i] == Approx(expected).epsilon(1e-14));
  }
  CHECK(rate_multipliers(*parts.model, all, 1) == std::vector<double>(all.size(), 1.0));
}

TEST_CASE("levels open one by one from the top, after steps or after epochs, as a function of the step") {
  const Parts parts = parts_of("classify", {"model.layers=2"});
  const NamedTensors all = trainable(*parts.model, *parts.objective);
  const GradualUnfreezing steps(*parts.model, all, {.step = 1, .level = 10});
  CHECK(steps.levels() == 4);
  const std::vector<std::pair<int64_t, int64_t>> schedule{
      {1, 1}, {10, 1}, {11, 2}, {20, 2}, {21, 3}, {30, 3}, {31, 4}, {1'000'000, 4}};
  for (const auto& [step, open] : schedule) {
    CHECK(steps.open_levels(step) == open);
  }
  // 100 windows, 32 a step: step 5 begins with window 128, which is the second epoch's.
  const GradualUnfreezing epochs(*parts.model, all, {.step = 32, .level = 100});
  CHECK(epochs.open_levels(4) == 1);
  CHECK(epochs.open_levels(5) == 2);
  CHECK(epochs.open_levels(8) == 3);

  for (const int64_t step : {25, 1, 12}) {  // in any order, as after a resume
    steps.apply(step);
    const auto levels = levels_of(parts);
    for (const NamedTensor& entry : all) {
      CAPTURE(step, entry.name);
      CHECK(entry.tensor.requires_grad() == (levels.at(entry.name) < steps.open_levels(step)));
    }
  }
}

TEST_CASE("what is frozen by name stays frozen, and a level of nothing else takes no turn") {
  const Parts parts = parts_of("classify", {"model.layers=2"});
  freeze(*parts.model, *parts.objective, {"model.stack.block1.*", "model.tokens.*"});
  const NamedTensors rest = trainable(*parts.model, *parts.objective);
  const GradualUnfreezing gradual(*parts.model, rest, {.step = 1, .level = 1});
  CHECK(gradual.levels() == 3);
  gradual.apply(2);
  CHECK(names_of(trainable(*parts.model, *parts.objective)).back() == "objective.output.bias");
  for (const auto& item : parts.model->named_parameters()) {
    CAPTURE(item.name);
    const bool block0 = item.name.starts_with("stack.block0.");
    CHECK(item.value.requires_grad() == (block0 || item.name.starts_with("head")));
  }
}

TEST_CASE("adapters come where the targets say: on parts of merged maps, on whole maps, on nothing else") {
  const auto adapted = [](const std::string& name, std::vector<std::string> targets) {
    const Parts parts = parts_of(name);
    return add_adapters(*parts.model, *parts.objective, {.targets = std::move(targets)}, 1);
  };
  CHECK(adapted("classify", {"*.q", "*.v"}) ==
        std::vector<std::string>{"model.stack.block0.attention.qkv.q", "model.stack.block0.attention.qkv.v"});
  CHECK(adapted("classify", {"*.qkv", "*.q", "*.feed_forward.*"}) ==
        std::vector<std::string>{"model.stack.block0.attention.qkv",
                                 "model.stack.block0.feed_forward.in",
                                 "model.stack.block0.feed_forward.out"});
  CHECK(adapted("t5", {"*.decoder.*cross*.v", "*.cross_attention.q"}).size() == 4);
  CHECK_THROWS_WITH(adapted("classify", {"*.q", "*.query"}),
                    "fine_tune.lora.targets: '*.query' matches no linear map; there are model.head, "
                    "model.stack.block*.attention.out, model.stack.block*.attention.qkv, "
                    "model.stack.block*.attention.qkv.k, model.stack.block*.attention.qkv.q, "
                    "model.stack.block*.attention.qkv.v, model.stack.block*.feed_forward.in, "
                    "model.stack.block*.feed_forward.out, objective.dense, objective.output");
  const Parts untied = parts_of("gpt", {"model.tie_embeddings=false"});
  CHECK_THROWS_WITH(add_adapters(*untied.model, *untied.objective, {.targets = {"model.head"}}, 1),
                    Contains("no linear map"));
}

TEST_CASE("a head is adapted when a target names it, and learns whole when a wider one would match it") {
  const Parts parts = parts_of("classify");
  CHECK(add_adapters(*parts.model, *parts.objective, {.targets = {"*.v", "objective.dense"}}, 1) ==
        std::vector<std::string>{"model.stack.block0.attention.qkv.v", "objective.dense"});
  CHECK(names_of(trainable(*parts.model, *parts.objective)).back() == "objective.output.bias");
  const Parts all = parts_of("classify");
  prepare_fine_tuning(
      *all.model, *all.objective, {.lora = LoraOptions{.targets = {"*", "objective.output"}}}, 1);
  const std::vector<std::string> trained = names_of(trainable(*all.model, *all.objective));
  CHECK(std::vector<std::string>(trained.end() - 4, trained.end()) ==
        std::vector<std::string>{"objective.dense.weight",
                                 "objective.dense.bias",
                                 "objective.output.lora.a",
                                 "objective.output.lora.b"});
  CHECK_THROWS_WITH(add_adapters(*all.model, *all.objective, {.targets = {"objective.none"}}, 1),
                    Contains("'objective.none' matches no linear map"));
}

TEST_CASE("initial adapters follow from the seed") {
  const auto first = [](uint64_t seed) {
    const Parts parts = parts_of("classify");
    add_adapters(*parts.model, *parts.objective, {}, seed);
    return parts.model->named_parameters()["stack.block0.attention.qkv.lora_v.a"].detach().clone();
  };
  CHECK(first(1).equal(first(1)));
  CHECK_FALSE(first(1).equal(first(2)));
}

TEST_CASE("the scale is alpha over the rank, or over its root") {
  CHECK(LoraOptions{.rank = 16, .alpha = 8}.scale() == 0.5);
  CHECK(LoraOptions{.rank = 16, .alpha = 8, .scaling = LoraScaling::root_rank}.scale() == 2);
}

TEST_CASE("with lora only additions, the objective's head and what `train` names are trained") {
  const Parts parts = parts_of("classify");
  prepare_fine_tuning(
      *parts.model, *parts.objective, {.lora = LoraOptions{.train = {"*.attention_norm.*"}}}, 1);
  const std::string block = "model.stack.block0.";
  CHECK(names_of(trainable(*parts.model, *parts.objective)) ==
        std::vector<std::string>{block + "attention_norm.weight",
                                 block + "attention_norm.bias",
                                 block + "attention.qkv.lora_q.a",
                                 block + "attention.qkv.lora_q.b",
                                 block + "attention.qkv.lora_v.a",
                                 block + "attention.qkv.lora_v.b",
                                 "objective.dense.weight",
                                 "objective.dense.bias",
                                 "objective.output.weight",
                                 "objective.output.bias"});
  const Parts other = parts_of("classify");
  CHECK_THROWS_WITH(
      prepare_fine_tuning(*other.model, *other.objective, {.lora = LoraOptions{.train = {"*.nrom.*"}}}, 1),
      Contains("'*.nrom.*' matches no parameter"));
}

TEST_CASE("a plan tells what is trained, and contradictions are refused where they stand") {
  const Plan lora = debug_plan("classify", {"fine_tune.lora={rank: 2}"});
  CHECK(lora.trained_parts.at("model.stack.block*.attention.qkv.lora_q") == 2 * (32 + 32));
  CHECK(lora.trained == 2 * 2 * (32 + 32) + 32 * 32 + 32 + 2 * 32 + 2);
  CHECK(lora.adapted.size() == 2);
  CHECK_THAT(to_text(lora), Contains("  trained         128 of model.stack.block*.attention.qkv.lora_q"));
  CHECK(lora.flops_per_token < debug_plan("classify", {}).flops_per_token);
  CHECK(debug_plan("classify", {"fine_tune.probe=true"}).trained == 32 * 32 + 32 + 2 * 32 + 2);
  CHECK_THROWS_WITH(debug_plan("classify", {"fine_tune={probe: true, lora: {}}"}),
                    Contains("fine_tune.probe: trains the objective's head alone"));
  CHECK_THROWS_WITH(debug_plan("bert", {"fine_tune.probe=true"}), Contains("this objective has none"));
  CHECK_THROWS_WITH(debug_plan("bert", {"fine_tune.layer_decay=0"}), Contains("fine_tune.layer_decay"));
  CHECK_THROWS_WITH(debug_plan("bert", {"fine_tune.lora.rank=0"}), Contains("fine_tune.lora.rank"));
  CHECK_THROWS_WITH(debug_plan("skipgram", {"fine_tune.lora={}"}), Contains("no effect on word vectors"));
}
