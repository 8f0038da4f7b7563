#include "core/batch.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>

#include "base/check.h"
#include "core/registry.h"
#include "support/catch.h"

using namespace lmzoo;

TEST_CASE("sequences know their starts, positions and owners") {
  const Sequences sequences(std::vector<int64_t>{2, 3, 1});
  CHECK(sequences.count() == 3);
  CHECK(sequences.total() == 6);
  CHECK(sequences.longest() == 3);
  CHECK_FALSE(sequences.is_uniform());
  CHECK(at::equal(sequences.positions(), at::tensor({0, 1, 0, 1, 2, 0}, at::kLong)));
  CHECK(at::equal(sequences.owners(), at::tensor({0, 0, 1, 1, 1, 2}, at::kLong)));
  CHECK(at::equal(sequences.offsets(), at::tensor({0, 2, 5, 6}, at::kInt)));
  CHECK(Sequences::uniform(2, 3).is_uniform());
}

TEST_CASE("an empty sequence is refused") {
  CHECK_THROWS_WITH(Sequences(std::vector<int64_t>{2, 0}),
                    "a sequence has length 0 but must have at least 1 token");
}

TEST_CASE("padding and packing are inverse, with zeros between") {
  const Sequences ragged(std::vector<int64_t>{1, 3});
  const Tensor packed = at::arange(1, 9, at::kFloat).view({4, 2});
  const Tensor padded = to_padded(packed, ragged);
  CHECK(padded.sizes() == at::IntArrayRef({2, 3, 2}));
  CHECK(padded[0].slice(0, 1).abs().sum().item<float>() == 0);
  CHECK(at::equal(to_packed(padded, ragged), packed));
  const Sequences even = Sequences::uniform(2, 2);
  CHECK(at::equal(to_packed(to_padded(packed, even), even), packed));
}

TEST_CASE("an unknown name lists the known ones and the nearest") {
  Registry registry;
  registry.add(ModelFamily{.name = "gpt", .summary = "", .defaults = {}, .presets = {}, .make = {}});
  registry.add(ModelFamily{.name = "bert", .summary = "", .defaults = {}, .presets = {}, .make = {}});
  CHECK_THROWS_WITH(registry.model("bret"), "no model 'bret'; known: bert, gpt (did you mean 'bert'?)");
  CHECK_THROWS_WITH(registry.model("llama"), "no model 'llama'; known: bert, gpt");
  CHECK_THROWS_WITH(registry.model("brt"), "no model 'brt'; known: bert, gpt (did you mean 'bert'?)");
  CHECK_THROWS_AS(
      registry.add(ModelFamily{.name = "gpt", .summary = "", .defaults = {}, .presets = {}, .make = {}}),
      std::logic_error);
}
