#include "train/config/run_config.h"

#include "support/catch.h"
#include "train/run/assemble.h"

using namespace lmzoo;

namespace {

const std::string kGood =
    "name: good\n"
    "tokenizer: {type: byte, sentinels: 0}\n"
    "data:\n"
    "  train: {files: [a.txt]}\n"
    "  valid: {files: [b.txt]}\n"
    "model: {type: gpt, layers: 2, width: 32, heads: 2}\n"
    "objective: {type: causal_lm}\n"
    "train: {steps: 50, batch_size: 8}\n";

LoadedConfig parse(const std::string& text, const std::vector<std::string>& overrides = {}) {
  static const Registry registry = make_registry();
  std::vector<Override> parsed;
  for (const std::string& argument : overrides) {
    parsed.push_back(parse_override(argument));
  }
  return parse_run_config(text, "dir/f.yaml", parsed, registry);
}

}  // namespace

TEST_CASE("a configuration is read into each part's options") {
  const RunConfig config = parse(kGood).config;
  CHECK(config.name == "good");
  CHECK(config.tokenizer.type == TokenizerType::byte);
  CHECK(config.data.valid->files == std::vector<std::string>{"b.txt"});
  CHECK(config.model.type == "gpt");
  CHECK(config.train.steps == 50);
  CHECK(config.micro_batch() == 8);
  CHECK(parse(kGood.substr(kGood.find('\n') + 1)).config.name == "f");
}

TEST_CASE("a dumped configuration is complete and reads back the same") {
  const RunConfig config =
      parse(kGood, {"model.preset=gpt2", "eval.every=5", "warm_start.freeze=['model.*']"}).config;
  const YamlNode tree = dump(config);
  const LoadedConfig again = parse(to_yaml(tree));
  CHECK(dump(again.config) == tree);
  CHECK(tree.find("model")->find("vocab_size") != nullptr);
  CHECK(identity_differences(tree, dump(again.config)).empty());
}

TEST_CASE("a preset is a set of defaults that other keys override") {
  const YamlNode tree = dump(parse(kGood, {"model={type: gpt, preset: gpt2, layers: 3}"}).config);
  CHECK(tree.find("model")->find("layers")->scalar == "3");
  CHECK(tree.find("model")->find("width")->scalar == "768");
}

TEST_CASE("sections that contradict each other are refused where they stand") {
  const auto [change, message] = GENERATE(table<std::string, std::string>({
      {"model={layers: 2}", "--set model: model.type: is missing; legal: bert, gpt, t5, word2vec"},
      {"model.type=gtp",
       "--set model.type: model.type: no such choice 'gtp'; legal: bert, gpt, t5, word2vec (did you mean "
       "'gpt'?)"},
      {"model.preset=gpt3", "--set model.preset: model.preset: no such choice 'gpt3'*"},
      {"train.micro_batches=3",
       "--set train.micro_batches: train.micro_batches: is 3, but must divide train.batch_size = 8"},
      {"schedule.warmup_steps=51",
       "--set schedule.warmup_steps: schedule.warmup_steps: = 51 but must be at most train.steps = 50"},
      {"data.train.label=2", "dir/f.yaml:5:10: data.valid.label: is missing: data.train has labels (2)"},
      {"data.train.files=[]", "--set data.train.files: data.train.files: is missing*"},
      {"data.train.files=['']",
       "--set data.train.files: data.train.files.0: is empty; a path or a glob is needed"},
      {"name=..", "--set name: name: '..' cannot be a folder*"},
      {"train.device=gpu", "--set train.device: train.device: no device 'gpu'*"},
  }));
  const std::vector<std::string> overrides{change};
  const bool open = message.ends_with('*');
  const std::string expected = open ? message.substr(0, message.size() - 1) : message;
  if (open) {
    CHECK_THROWS_WITH(parse(kGood, overrides), Catch::StartsWith(expected));
  } else {
    CHECK_THROWS_WITH(parse(kGood, overrides), expected);
  }
}

TEST_CASE("evaluation needs something to evaluate on") {
  CHECK_THROWS_WITH(parse(kGood, {"data.valid=null", "eval.every=5"}),
                    "--set eval.every: eval.every: is 5, but there is no data.valid to evaluate on");
}

TEST_CASE("labels belong to documents") {
  CHECK_THROWS_WITH(parse(kGood, {"data.train.label=2", "data.valid.label=2", "data.windows=stream"}),
                    Catch::Contains("data.windows: is stream, but data.train has labels"));
}

TEST_CASE("an empty configuration, and one without model or objective, are refused") {
  CHECK_THROWS_WITH(parse(""), Catch::Contains("is empty"));
  CHECK_THROWS_WITH(
      parse("name: x"),
      Catch::StartsWith(
          "dir/f.yaml:1:1: model: is missing; expected {type: ...}, with one of bert, gpt, t5, "
          "word2vec\ndir/f.yaml:1:1: objective: is missing; expected {type: ...}, with one of ") &&
          Catch::Contains("\ndir/f.yaml:1:1: data.train.files: is missing; "));
  CHECK_THROWS_WITH(parse(kGood, {"model={tpye: gpt}"}),
                    "--set model: model.tpye: unknown key (did you mean 'type'?)");
  CHECK_THROWS_WITH(parse("[a]"), "dir/f.yaml:1:1: expected keys with values, got a list");
}

TEST_CASE("of many mistakes twenty are told, and how many there are beside them") {
  std::string text(kGood);
  for (int i = 0; i < 50'000; ++i) {  // described one by one they would take seconds
    text += fmt::format("unknown{}: 1\n", i);
  }
  CHECK_THROWS_WITH(parse(text),
                    Catch::Contains(": unknown19: unknown key") && Catch::EndsWith("\nand 49980 more"));
}

TEST_CASE("an optimizer is a rule with its own options beside those that every rule has") {
  const OptimizerChoice usual = parse(kGood, {"optimizer={}"}).config.optimizer;
  CHECK(usual.type == "adamw");
  CHECK(usual.lr == 1e-3);
  CHECK(usual.clip_norm == 1);
  const RunConfig set = parse(kGood, {"optimizer={lr: 0.5, beta2: 0.75, clip_norm: 0}"}).config;
  CHECK(set.optimizer.lr == 0.5);
  CHECK(set.optimizer.clip_norm == 0);
  const std::string dumped = to_yaml(dump(set));
  CHECK_THAT(dumped,
             Catch::Contains("  type: adamw\n  lr: 0.5\n  weight_decay: 0.01\n") &&
                 Catch::Contains("  beta2: 0.75\n") && Catch::Contains("  clip_norm: 0\n"));
  CHECK(to_yaml(dump(parse(dumped).config)) == dumped);
  const auto [change, message] = GENERATE(table<std::string, std::string>({
      {"optimizer={type: adam}",
       "--set optimizer: optimizer.type: no such choice 'adam'; legal: adamw, sgd (did you mean 'adamw'?)"},
      {"optimizer={type: sgd}",
       "--set optimizer: optimizer.type: is sgd, which is for model word2vec; `lmzoo list optimizers` has "
       "others"},
      {"optimizer.beta1=1", "--set optimizer.beta1: optimizer.beta1: is 1, but must be in [0, 1)"},
      {"optimizer.beta3=0.5",
       "--set optimizer.beta3: optimizer.beta3: unknown key; legal: type, lr, weight_decay, beta1, beta2, "
       "eps, scale_by_rms, clip_norm (did you mean 'beta1'?)"},
  }));
  CHECK_THROWS_WITH(parse(kGood, {change}), message);
}

TEST_CASE("a run may change where and how fast it computes, and nothing else") {
  const YamlNode before = dump(parse(kGood).config);
  const auto now = [](const std::string& change) { return dump(parse(kGood, {change}).config); };
  CHECK(identity_differences(before, now("train.threads=1")).empty());
  CHECK(identity_differences(before, now("train.log_every=1")).empty());
  CHECK(identity_differences(before, now("ask.pooling=first")).empty());
  const auto steps = identity_differences(before, now("train.steps=60"));
  REQUIRE(steps.size() == 1);
  CHECK(steps[0].key == "train.steps");
  CHECK(steps[0].before == "50");
  CHECK(steps[0].now == "60");
  CHECK(identity_differences(before, now("data.valid=null")).size() == 1);
}

TEST_CASE("the schema has an alternative for every model, objective and optimizer") {
  const Registry registry = make_registry();
  const Json schema = run_config_schema(registry);
  CHECK(schema["properties"].size() == 16);
  CHECK(schema["properties"]["model"]["oneOf"].size() == registry.models().size() + 1);
  CHECK(schema["properties"]["objective"]["oneOf"].size() == registry.objectives().size());
  const Json& rules = schema["properties"]["optimizer"]["oneOf"];
  REQUIRE(rules.size() == registry.optimizers().size());
  CHECK(rules[0]["properties"]["type"]["const"] == "adamw");
  CHECK(rules[0]["properties"].contains("scale_by_rms"));
  CHECK_FALSE(rules[0].contains("required"));
  CHECK(rules[1]["required"] == Json{"type"});
  const Json& bert = schema["properties"]["model"]["oneOf"][0];
  CHECK(bert["properties"]["type"]["const"] == "bert");
  CHECK(bert["properties"].contains("heads"));
  CHECK(bert["properties"]["preset"]["anyOf"][0]["enum"].is_array());
}

TEST_CASE("an arm lays its sections over the document; overrides stand above both") {
  const std::string text = kGood +
                           "arms:\n"
                           "  - {name: wide, model: {width: 64}, train: {batch_size: 4}}\n"
                           "  - {name: masked, objective: {type: masked_next_token, rate: 0.3}}\n";
  const LoadedConfig base = parse(text);
  CHECK(base.arms == std::vector<std::string>{"wide", "masked"});
  CHECK(base.config.train.batch_size == 8);
  const LoadedConfig wide = parse(text, {"arm=wide", "train.steps=7"});
  CHECK(wide.config.train.batch_size == 4);
  CHECK(wide.config.train.steps == 7);
  CHECK(to_yaml(dump(wide.config)).find("\narm") == std::string::npos);
  CHECK(parse(text, {"arm=wide", "train.batch_size=2"}).config.train.batch_size == 2);
  CHECK(parse(text, {"tokenizer.type=char", "tokenizer.sentinels=0", "arm=masked"}).config.objective.type ==
        "masked_next_token");
  CHECK_THROWS_WITH(parse(text, {"arm=narrow"}),
                    "--set arm: arm: 'narrow' is none of this document's: wide, masked");
  CHECK_THROWS_WITH(parse(kGood, {"arm=wide"}),
                    "--set arm: arm: 'wide' is none of this document's: it has no arms");
  CHECK_THROWS_WITH(parse(kGood + "arms: [{name: a}, {name: a}]\n"), Catch::Contains("no name twice"));
  CHECK_THROWS_WITH(parse(kGood + "arms: 3\n"), Catch::Contains("arms: expected a list"));
  CHECK_THROWS_WITH(parse(kGood + "arms: [{name: a, modle: {}}]\n", {"arm=a"}),
                    Catch::Contains("modle: unknown key"));
}

TEST_CASE("a misspelled key within options that are a choice of their own is told, and the rest is read on") {
  CHECK_THROWS_WITH(parse(kGood,
                          {"objective={type: mixture, components: [{name: a, objecitve: {type: causal_lm}}, "
                           "{name: b, wieght: 2}]}"}),
                    Catch::Contains("objective.components.0.objecitve: unknown key") &&
                        Catch::Contains("objective.components.1.wieght: unknown key") &&
                        Catch::Contains("did you mean 'weight'?"));
  CHECK_THROWS_WITH(parse(kGood, {"objective={type: masked_next_token, rate: {from: 0.3, tp: 0.1}}"}),
                    Catch::Contains("objective.rate.tp: unknown key"));
}
