#include "core/parameters.h"

#include "train/fakes.h"
#include "support/catch.h"

using namespace lmzoo;
using namespace lmzoo::test;

namespace {

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
  CHECK(glob_matches("*.bias", "model.layers.3.bias"));
  CHECK(glob_matches("model.layers.?.w*", "model.layers.3.weight"));
  CHECK(glob_matches("a*b*c", "aXbbXc"));
  CHECK_FALSE(glob_matches("model", "model.embedding"));
  CHECK_FALSE(glob_matches("*.bias", "model.bias.x"));
  CHECK_FALSE(glob_matches("model.layers.?.w", "model.layers.10.w"));
  CHECK_FALSE(glob_matches("", "x"));
  const std::vector<std::string> stars(50, "*a");
  std::string pattern = "b";
  for (const std::string& star : stars) {
    pattern.insert(0, star);
  }
  CHECK_FALSE(glob_matches(pattern, std::string(5000, 'a')));  // at once
}

TEST_CASE("weights are named by their part, tied ones appear once, buffers belong to them") {
  const TinyModel model;
  const TinyObjective objective;
  CHECK(names(weights(model, objective)) ==
        std::vector<std::string>{
            "model.embedding", "model.inner", "model.bias", "model.count", "objective.head"});
  CHECK(names(trainable(model, objective)) ==
        std::vector<std::string>{"model.embedding", "model.inner", "model.bias", "objective.head"});
  CHECK(count_elements(trainable(model, objective)) == kVocab * kWidth + 2 * kWidth * kWidth + kWidth);
}

TEST_CASE("frozen parameters are not trainable; a tied one is frozen by either name") {
  TinyModel model;
  TinyObjective objective;
  CHECK(freeze(model, objective, {"*.output", "model.bias"}) ==
        std::vector<std::string>{"model.output", "model.bias"});
  CHECK(names(trainable(model, objective)) == std::vector<std::string>{"model.inner", "objective.head"});
  CHECK_THROWS_WITH(freeze(model, objective, {"model.biass"}),
                    Catch::Matchers::Contains("'model.biass' matches no parameter"));
  CHECK_THROWS_WITH(Optimizer({}, {}), Catch::Matchers::Contains("everything is frozen"));
}
