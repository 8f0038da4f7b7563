// The states of wanted rows alone: the same values and gradients as computing all and taking them.
#include "nn/row_choice.h"

#include <ATen/Context.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/linspace.h>
#include <ATen/ops/tensor.h>
#include <torch/csrc/autograd/autograd.h>

#include "model_support.h"
#include "nn/linear.h"
#include "nn/low_rank.h"
#include "support/catch.h"

using namespace lmzoo;
using namespace lmzoo::test;

namespace {

using Rows = std::vector<int64_t>;

// Of sequences of 5, 4 and 6 positions: a few of each, one of each, none of the second, unsorted within one
// sequence, nearly all, none at all.
const std::vector<Rows> kChoices{{1, 3, 7, 9, 14},
                                 {0, 5, 9},
                                 {4, 8, 14},
                                 {0, 2, 13},
                                 {4, 1, 8, 12, 10},
                                 {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14},
                                 {}};

WantedRows wanted_of(const Rows& rows, const Sequences& sequences) {
  const Tensor tensor = at::tensor(rows, at::kLong);
  return {.rows = tensor, .counts = count_rows(tensor, sequences)};
}

Rows list_of(const Tensor& tensor) {
  return {tensor.const_data_ptr<int64_t>(), tensor.const_data_ptr<int64_t>() + tensor.numel()};
}

// Gradients of a weighted sum of `states`, by parameter; undefined where there is none.
std::vector<Tensor> gradients(Model& model, const Tensor& states) {
  const Tensor weights = at::linspace(-1, 2, states.numel(), states.options()).view_as(states);
  std::vector<Tensor> found = torch::autograd::grad(
      {(states * weights).sum()}, model.parameters(), {}, std::nullopt, false, /*allow_unused=*/true);
  for (Tensor& gradient : found) {
    gradient = gradient.defined() ? gradient.to_dense() : gradient;
  }
  return found;
}

void check_same(Model& model, const Inputs& inputs, const WantedRows& wanted) {
  const Tensor all = model.hidden(inputs).index_select(0, wanted.rows);
  const Tensor few = model.hidden_at(inputs, wanted);
  REQUIRE(few.sizes() == all.sizes());
  if (all.numel() == 0) {
    return;
  }
  CHECK(relative_error(few, all) < 1e-12);
  const std::vector<Tensor> expected = gradients(model, all);
  const std::vector<Tensor> actual = gradients(model, few);
  for (size_t i = 0; i < expected.size(); ++i) {
    REQUIRE(actual[i].defined() == expected[i].defined());
    CHECK((!expected[i].defined() || at::allclose(actual[i], expected[i], 1e-10, 1e-12)));
  }
}

}  // namespace

TEST_CASE("the states of wanted rows, and their gradients, are those of computing all") {
  for (const ModelSpec& spec : tiny_models()) {
    at::manual_seed(3);
    const auto model = make_model(spec);
    model->to(at::kDouble);
    randomize(*model);
    const bool decodes = model->architecture() == Architecture::encoder_decoder;
    Inputs inputs = packed(random_ids({5, 4, 6}), decodes ? random_ids({5, 4, 6}) : Ids{});
    for (const Rows& rows : kChoices) {
      INFO(describe(spec) << ", " << rows.size() << " rows");
      check_same(*model, inputs, wanted_of(rows, inputs.sequences));
    }
    if (model->architecture() == Architecture::decoder_only) {
      inputs.prefix = {3, 1, 4};
      check_same(*model, inputs, wanted_of(kChoices[0], inputs.sequences));
    }
  }
}

TEST_CASE("wanted rows of maps with low-rank additions are those of computing all") {
  at::manual_seed(5);
  const auto model =
      make_model({.family = "bert", .settings = {{"layers", "1"}, {"width", "8"}, {"heads", "2"}}});
  for (const auto& [name, module] : model->named_modules()) {
    if (auto* linear = dynamic_cast<Linear*>(module); linear != nullptr && !linear->parts.empty()) {
      linear->adapt("q", {.rank = 2});
    }
  }
  model->to(at::kDouble);
  randomize(*model);
  const Inputs inputs = packed(random_ids({5, 4, 6}));
  check_same(*model, inputs, wanted_of(kChoices[0], inputs.sequences));
}

TEST_CASE("a choice has the wanted rows, and the first row of a sequence that has none") {
  const Sequences all(Rows{5, 4, 6});
  const auto plain = choose_rows(wanted_of({1, 3, 7, 14}, all), all);
  REQUIRE(plain);
  CHECK(list_of(plain->rows) == Rows{1, 3, 7, 14});
  CHECK(!plain->wanted.defined());
  CHECK(plain->sequences.count() == 3);
  CHECK(plain->sequences.length(0) == 2);

  const auto gap = choose_rows(wanted_of({4, 1, 12}, all), all);
  REQUIRE(gap);
  CHECK(list_of(gap->rows) == Rows{4, 1, 5, 12});
  CHECK(list_of(gap->wanted) == Rows{0, 1, 3});
  CHECK(gap->sequences.total() == 4);

  CHECK(!choose_rows(wanted_of(kChoices[5], all), all));
  CHECK(!choose_rows({.rows = at::tensor(Rows{1, 3}), .counts = {}}, all));
}

TEST_CASE("rows are counted by sequence, and refused out of order or range") {
  const Sequences all(Rows{5, 4, 6});
  const auto count = [&](const Rows& rows) { return count_rows(at::tensor(rows, at::kLong), all); };
  CHECK(count({4, 1, 5, 14}) == Rows{2, 1, 1});
  CHECK(count({}) == Rows{0, 0, 0});
  CHECK(count({13, 14}) == Rows{0, 0, 2});
  CHECK(count_rows(at::tensor(Rows{1, 99, 5, 99}, at::kLong).view({2, 2}).select(1, 0), all) ==
        Rows{1, 1, 0});
  CHECK_THROWS_AS(count({5, 4}), std::logic_error);
  CHECK_THROWS_AS(count({15}), std::logic_error);
  CHECK_THROWS_AS(count({-1}), std::logic_error);
}
