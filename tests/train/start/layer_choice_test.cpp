#include "train/start/layer_choice.h"

#include "support/catch.h"
#include "support/files.h"
#include "train/debug_configs.h"
#include "train/exchange/huggingface/config_keys.h"
#include "train/run/assemble.h"
#include "train/run/published.h"
#include "train/yaml/bind.h"

using namespace lmzoo;
using namespace lmzoo::test;
using Catch::Matchers::Contains;

namespace {

std::shared_ptr<Model> model_of(const std::string& debug, const std::string& model) {
  const LoadedConfig loaded = debug_config(debug, {"model=" + model});
  return build_parts(loaded, registry(), foresee_vocabulary(loaded, true).vocabulary, {}).model;
}

}  // namespace

TEST_CASE("blocks begin with chosen ones, everything else with its like") {
  const auto bert = model_of("bert", "{type: bert, layers: 3, width: 16, heads: 2}");
  const LayerChoice every(*bert, {.from = "teacher", .every = 2});
  CHECK(every.layers() == std::vector<int64_t>{0, 2, 4});
  CHECK(every.source_of("model.stack.block1.attention.qkv.weight") ==
        "model.stack.block2.attention.qkv.weight");
  CHECK(every.source_of("model.tokens.weight") == "model.tokens.weight");
  CHECK(every.leaves_out("model.stack.block3.attention.qkv.weight"));
  CHECK_FALSE(every.leaves_out("model.stack.block4.attention.qkv.weight"));
  CHECK_FALSE(every.leaves_out("model.stack.blocks.weight"));

  const LayerChoice listed(*bert, {.from = "teacher", .layers = {11, 0, 0}});
  CHECK(listed.source_of("model.stack.block0.attention_norm.bias") ==
        "model.stack.block11.attention_norm.bias");
  CHECK(listed.source_of("model.stack.block2.attention_norm.bias") ==
        "model.stack.block0.attention_norm.bias");

  const LayerChoice none(*bert, {.from = "teacher"});
  CHECK(none.layers().empty());
  CHECK(none.source_of("model.stack.block1.attention_norm.bias") == "model.stack.block1.attention_norm.bias");
  CHECK_FALSE(none.leaves_out("model.stack.block7.attention_norm.bias"));

  const auto t5 = model_of("t5", "{type: t5, layers: 2, width: 16, heads: 2}");
  const LayerChoice both(*t5, {.from = "teacher", .every = 3});
  for (const auto& item : t5->named_parameters()) {
    const bool moved = item.name.find("block1.") != std::string::npos;
    const std::string theirs = both.source_of("model." + item.name);
    CHECK((theirs.find("block3.") != std::string::npos) == moved);
  }
}

TEST_CASE("blocks that cannot be chosen are refused") {
  const auto bert = model_of("bert", "{type: bert, layers: 3, width: 16, heads: 2}");
  CHECK_THROWS_WITH(LayerChoice(*bert, {.from = "teacher", .layers = {0, 1}}),
                    Contains("warm_start.layers names 2 blocks, but this model has 3"));
  CHECK_THROWS_WITH(LayerChoice(*bert, {.from = "teacher", .layers = {0, 1, 2}, .every = 2}),
                    Contains("give one of them"));
  CHECK_THROWS_WITH(LayerChoice(*bert, {.every = 2}), "warm_start.every needs warm_start.from");
}

TEST_CASE("a student of a published folder begins with the layers that are named") {
  const std::string folder = golden("huggingface/bert_lm");
  const LoadedRun whole = load_huggingface(folder, registry(), "cpu").run;
  AnyOptions options = whole.config.config.model.options;
  YamlNode one = YamlNode::mapping();
  put(one, "layers", int64_t{1});
  KeyPlaces places;
  read_fields(static_cast<GroupRef&>(options), one, places);
  const auto student =
      registry().model("bert").make(options, {.vocabulary = whole.parts.vocabulary, .sequence_length = 12});
  const WarmStartReport report =
      warm_start(*student, *whole.parts.objective, {.from = folder, .layers = {1}}, "masked_lm");
  CHECK(report.model_is_whole);
  const auto theirs = whole.parts.model->named_parameters();
  for (const auto& item : student->named_parameters()) {
    std::string name = item.name;
    if (const size_t at = name.find("block0."); at != std::string::npos) {
      name.replace(at, 7, "block1.");
    }
    INFO(item.name);
    CHECK(item.value.equal(theirs[name]));
  }
  CHECK_THROWS_WITH(
      warm_start(*student, *whole.parts.objective, {.from = folder, .layers = {2}}, "masked_lm"),
      Contains("missing: bert.encoder.layer.2."));
  CHECK_THROWS_WITH(warm_start(*student, *whole.parts.objective, {.from = folder}, "masked_lm"),
                    Contains("not known: bert.encoder.layer.1."));
  CHECK_NOTHROW(warm_start(*student,
                           *whole.parts.objective,
                           {.from = folder, .allow_extra = {"bert.encoder.layer.1.*"}},
                           "masked_lm"));
}
