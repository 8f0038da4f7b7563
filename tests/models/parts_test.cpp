// The parts that models state: complete, without overlap, in order.
#include <algorithm>

#include "model_support.h"
#include "support/catch.h"

using namespace lmzoo;
using namespace lmzoo::test;

namespace {

std::vector<std::string> part_names(const Model& model) {
  std::vector<std::string> names;
  for (const ModelPart& part : model.parts()) {
    names.push_back(part.name);
  }
  return names;
}

}  // namespace

TEST_CASE("every parameter of every family is in one part, and every part has one") {
  for (const ModelSpec& spec : tiny_models()) {
    INFO(describe(spec));
    const auto model = make_model(spec);
    const std::vector<ModelPart> parts = model->parts();
    std::vector<int> held(parts.size());
    for (const auto& item : model->named_parameters()) {
      INFO(item.name);
      int holders = 0;
      for (size_t i = 0; i < parts.size(); ++i) {
        const bool holds = parts[i].holds(item.name);
        holders += holds ? 1 : 0;
        held[i] += holds ? 1 : 0;
      }
      CHECK(holders == 1);
    }
    CHECK(std::ranges::count(held, 0) == 0);
  }
}

TEST_CASE("parts are in order: embeddings, blocks from the bottom, what follows them") {
  const Settings two{{"layers", "2"}};
  CHECK(part_names(*make_model({.family = "gpt", .settings = two})) ==
        std::vector<std::string>{"embeddings", "stack.block0", "stack.block1", "stack.final_norm"});
  CHECK(part_names(*make_model({.family = "bert", .settings = {{"layers", "1"}, {"pooler", "true"}}})) ==
        std::vector<std::string>{"embeddings", "stack.block0", "pooler", "head"});
  const auto t5 = make_model(
      {.family = "t5", .settings = {{"layers", "1"}, {"decoder_layers", "2"}, {"tie_embeddings", "false"}}});
  CHECK(part_names(*t5) == std::vector<std::string>{"embeddings",
                                                    "encoder.block0",
                                                    "encoder.final_norm",
                                                    "decoder.block0",
                                                    "decoder.block1",
                                                    "decoder.final_norm",
                                                    "head"});
  const std::vector<ModelPart> parts = t5->parts();
  const ModelPart& second = part_of(parts, "decoder.block1.attention.qkv.weight");
  CHECK(second.kind == PartKind::block);
  CHECK(second.stack == "decoder");
  CHECK(second.depth == 1);
  CHECK(second.input == PartInput::target);
  CHECK(part_of(parts, "head.weight").kind == PartKind::projection);
  CHECK(part_of(parts, "encoder_bias.weight").kind == PartKind::embeddings);
}

TEST_CASE("a prefix ends where a name does, and a name that no part holds is a defect") {
  const ModelPart part{.name = "head", .prefixes = {"head"}};
  CHECK(part.holds("head"));
  CHECK(part.holds("head.weight"));
  CHECK_FALSE(part.holds("head_norm.weight"));
  CHECK_FALSE(part.holds("ahead"));
  CHECK_THROWS_WITH(part_of({part}, "tail.weight"), "no part of the model holds tail.weight");
}
