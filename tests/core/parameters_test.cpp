#include "core/parameters.h"

#include <ATen/ops/zeros.h>

#include "base/error.h"
#include "support/catch.h"

using namespace lmzoo;

namespace {

// A tied parameter and a buffer.
struct Body final : Module {
  Body() {
    const Tensor embedding = register_parameter("embedding", at::zeros({11, 6}));
    register_parameter("output", embedding);
    register_parameter("inner", at::zeros({6, 6}));
    register_parameter("bias", at::zeros({6}));
    register_buffer("count", at::zeros({2}, at::kLong));
  }
};
struct Head final : Module {
  Head() { register_parameter("head", at::zeros({6, 6})); }
};

std::vector<std::string> names(const NamedTensors& tensors) {
  std::vector<std::string> all;
  for (const NamedTensor& entry : tensors) {
    all.push_back(entry.name);
  }
  return all;
}

}  // namespace

TEST_CASE("globs match whole names") {
  CHECK(glob_matches("model.*", "model.embedding"));
  CHECK(glob_matches("*", ""));
  CHECK(glob_matches("*", ".hidden/and/deep"));
  CHECK(glob_matches("*.bias", "model.layers.3.bias"));
  CHECK(glob_matches("model.layers.?.w*", "model.layers.3.weight"));
  CHECK(glob_matches("a*b*c", "aXbbXc"));
  CHECK_FALSE(glob_matches("model", "model.embedding"));
  CHECK_FALSE(glob_matches("*.bias", "model.bias.x"));
  CHECK_FALSE(glob_matches("model.layers.?.w", "model.layers.10.w"));
  CHECK_FALSE(glob_matches("", "x"));
  CHECK_FALSE(glob_matches(std::string("*\0", 2), "x"));
  std::string pattern = "b";
  for (int i = 0; i < 50; ++i) {
    pattern.insert(0, "*a");
  }
  CHECK_FALSE(glob_matches(pattern, std::string(5000, 'a')));  // at once
}

TEST_CASE("a bracket in a glob is one of several characters, and a backslash takes that away") {
  CHECK(glob_matches("*.[qv]", "block0.attention.qkv.q"));
  CHECK_FALSE(glob_matches("*.[qv]", "block0.attention.qkv.k"));
  CHECK(glob_matches("*.[!qv]", "block0.attention.qkv.k"));
  CHECK(glob_matches("block[0-3].*", "block2.norm"));
  CHECK_FALSE(glob_matches("block[0-3].*", "block4.norm"));
  CHECK(glob_matches("a\\[0]", "a[0]"));
  CHECK(glob_matches("a[0", "a[0"));  // of a bracket that does not end
}

TEST_CASE("weights are named by their part, tied ones appear once, buffers belong to them") {
  const Body model;
  const Head objective;
  CHECK(names(weights(model, objective)) ==
        std::vector<std::string>{
            "model.embedding", "model.inner", "model.bias", "model.count", "objective.head"});
  CHECK(names(trainable(model, objective)) ==
        std::vector<std::string>{"model.embedding", "model.inner", "model.bias", "objective.head"});
  CHECK(count_elements(trainable(model, objective)) == 11 * 6 + 2 * 6 * 6 + 6);
  CHECK(count_bytes(weights(model, objective)) == 4 * (11 * 6 + 2 * 6 * 6 + 6) + 2 * 8);
}

TEST_CASE("frozen parameters are not trainable; a tied one is frozen by either name") {
  Body model;
  Head objective;
  CHECK(freeze(model, objective, {"*.output", "model.bias"}) ==
        std::vector<std::string>{"model.output", "model.bias"});
  CHECK(names(trainable(model, objective)) == std::vector<std::string>{"model.inner", "objective.head"});
  CHECK_THROWS_WITH(freeze(model, objective, {"model.biass"}),
                    Catch::Matchers::Contains("'model.biass' matches no parameter"));
}
