// `model: {from: FOLDER}` in a YAML.
#include "train/config/model_source.h"

#include <filesystem>

#include "support/catch.h"
#include "train/exchange/huggingface_support.h"
#include "train/run/assemble.h"

using namespace lmzoo;
using namespace lmzoo::test;
using Catch::Matchers::Contains;

namespace {

RunConfig config_with(const std::string& model, const std::string& more = "") {
  static const Registry registry = make_registry();
  const std::string text =
      "tokenizer: {type: byte, sentinels: 0}\ndata: {train: {files: [a.txt]}, sequence_length: 8}\nmodel: " +
      model + "\nobjective: {type: masked_lm}\n" + more;
  return parse_run_config(text, "run.yaml", {}, registry).config;
}

std::string option(const RunConfig& config, const std::string& key) {
  const YamlNode dumped = dump(config);
  const YamlNode* value = dumped.find("model")->find(key);
  return value == nullptr ? "absent" : value->scalar;
}

}  // namespace

TEST_CASE("a model from a published folder has its options, and the run begins with its weights") {
  const std::string folder = published("bert_lm");
  const RunConfig config = config_with("{from: " + folder + ", dropout: 0.25}");
  CHECK(config.model.type == "bert");
  CHECK(option(config, "layers") == "2");
  CHECK(option(config, "ffn_width") == "24");
  CHECK(option(config, "dropout") == "0.25");
  CHECK(option(config, "from") == "absent");
  CHECK(config.warm_start.from == folder);
  // The dumped configuration says the same without the folder.
  static const Registry registry = make_registry();
  const YamlNode dumped = dump(config);
  CHECK(dump(parse_run_config(to_yaml(dumped), "again.yaml", {}, registry).config) == dumped);
}

TEST_CASE("without the weights only the architecture is taken, and may be changed") {
  const RunConfig config = config_with("{from: " + published("bert_lm") + ", weights: false, layers: 3}");
  CHECK(option(config, "layers") == "3");
  CHECK(config.warm_start.from.empty());
}

TEST_CASE("options that the weights are not of, and two sources of weights, are refused where they stand") {
  const std::string from = "{from: " + published("bert_lm");
  CHECK_THROWS_WITH(config_with(from + ", layers: 3}"),
                    Contains("run.yaml:3:") && Contains("model.layers: is 3, but the weights of"));
  CHECK_THROWS_WITH(config_with(from + ", type: gpt}"),
                    Contains("model.type: is gpt, but") && Contains("is a bert"));
  CHECK_THROWS_WITH(config_with(from + ", preset: bert-base}"),
                    Contains("model.preset: does not go with model.from"));
  CHECK_THROWS_WITH(config_with(from + ", weights: maybe}"),
                    Contains("model.weights: expected true or false"));
  CHECK_THROWS_WITH(config_with(from + ", layerz: 3}"), Contains("model.layerz: unknown key"));
  CHECK_THROWS_WITH(config_with(from + "}", "warm_start: {from: elsewhere}\n"),
                    Contains("model.from names the weights already"));
  CHECK_THROWS_WITH(config_with("{from: no/such/folder}"),
                    Contains("run.yaml:3:") && Contains("model.from: no/such/folder"));
  CHECK_THROWS_WITH(config_with("{from: [a]}"), Contains("model.from: expected a folder"));
}
