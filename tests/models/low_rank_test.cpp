// Low-rank additions to linear maps: against plain operators, merged, and without what nobody wants.
#include "nn/low_rank.h"

#include <ATen/Context.h>
#include <ATen/autocast_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>

#include "model_support.h"
#include "nn/attention.h"
#include "nn/feed_forward.h"
#include "nn/kernels/linear.h"
#include "nn/kernels_support.h"
#include "nn/linear.h"
#include "support/catch.h"

using namespace lmzoo;
using namespace lmzoo::test;

namespace {

// The sum as it is written: every addition padded with zeros to all outputs.
Tensor plain(const Tensor& x, const Tensor& weight, const Tensor& bias, std::vector<LowRankTerm> terms) {
  Tensor y = bias.defined() ? at::linear(x, weight, bias) : at::linear(x, weight);
  for (const LowRankTerm& term : terms) {
    const Tensor added = at::linear(at::linear(term.x, term.a), term.b) * term.scale;
    const int64_t after = weight.size(0) - term.first - term.b.size(0);
    y = y + at::cat({at::zeros({x.size(0), term.first}, added.options()),
                     added,
                     at::zeros({x.size(0), after}, added.options())},
                    1);
  }
  return y;
}

void require_adapted(int64_t rows, bool bias, bool own_x, double tolerance) {
  const Tensor x = leaf({rows, 40}), weight = leaf({24, 40});
  const Tensor added = bias ? leaf({24}) : Tensor();
  const Tensor other = own_x ? leaf({rows, 40}) : x;
  const std::vector<LowRankTerm> terms{
      {.x = x, .a = leaf({3, 40}), .b = leaf({8, 3}), .first = 0, .scale = 2},
      {.x = other, .a = leaf({5, 40}), .b = leaf({6, 5}), .first = 17, .scale = 0.5}};
  std::vector<Tensor> leaves{x, weight, terms[0].a, terms[0].b, terms[1].a, terms[1].b};
  if (bias) {
    leaves.push_back(added);
  }
  if (own_x) {
    leaves.push_back(other);
  }
  require_same([&] { return std::vector{adapted_linear_rows(x, weight, added, terms)}; },
               [&] { return std::vector{plain(x, weight, added, terms)}; },
               leaves,
               tolerance);
}

std::shared_ptr<Linear> merged_projection() {
  return std::make_shared<Linear>(LinearOptions{4, 7, true, {{"q", 4}, {"k", 1}, {"v", 2}}});
}

}  // namespace

TEST_CASE("adapted_linear_rows is the sum of its parts, in float32 and in bfloat16") {
  at::manual_seed(1);
  const bool bias = GENERATE(false, true);
  const bool own_x = GENERATE(false, true);
  for (const int64_t rows : {1, 63, 65, 515}) {
    require_adapted(rows, bias, own_x, 1e-5);
    at::autocast::set_autocast_enabled(at::kCPU, true);
    require_adapted(rows, bias, own_x, 2e-2);
    at::autocast::set_autocast_enabled(at::kCPU, false);
    at::autocast::clear_cache();
  }
}

TEST_CASE("an adapted map has right gradients, with dropout, of all rows or of named ones") {
  for (const bool whole : {false, true}) {
    const auto linear = merged_projection();
    for (const std::string& part :
         whole ? std::vector<std::string>{""} : std::vector<std::string>{"q", "v"}) {
      linear->adapt(part, {.rank = 2, .scale = 1.5, .dropout = 0.3});
    }
    at::manual_seed(2);
    linear->to(at::kDouble);
    randomize(*linear);
    const Tensor x = at::randn({5, 4}, at::TensorOptions(at::kDouble)).requires_grad_();
    check_gradients(
        *linear, [&] { return linear->forward(x); }, x);
  }
}

TEST_CASE("a fresh addition changes nothing; A begins as kaiming_uniform with a = sqrt(5)") {
  at::manual_seed(3);
  const auto linear = std::make_shared<Linear>(LinearOptions{400, 30});
  randomize(*linear);
  const Tensor x = at::randn({9, 400});
  const Tensor before = linear->forward(x);
  const LowRank& addition = linear->adapt("", {.rank = 16, .scale = 4});
  CHECK(linear->forward(x).allclose(before, 0, 1e-6));
  CHECK(addition.b.eq(0).all().item<bool>());
  CHECK(addition.a.abs().max().item<double>() <= 1 / std::sqrt(400.0));
  CHECK(addition.a.std().item<double>() == Approx(1 / std::sqrt(3 * 400.0)).epsilon(0.03));
}

TEST_CASE("merged and unmerged maps give the same to 1e-6, and nothing but the weight is left") {
  at::manual_seed(4);
  const auto linear = merged_projection();
  linear->adapt("q", {.rank = 2, .scale = 0.5});
  linear->adapt("v", {.rank = 3, .scale = 2});
  randomize(*linear);
  const Tensor x = at::randn({11, 4});
  const Tensor unmerged = linear->forward(x);
  linear->merge();
  CHECK(relative_error(linear->forward(x), unmerged) < 1e-6);
  CHECK(linear->adapters.empty());
  CHECK(linear->named_parameters().names() == std::vector<std::string>{"weight", "bias"});
}

TEST_CASE("additions to queries and values leave keys alone, and only they get gradients") {
  at::manual_seed(5);
  const auto linear = merged_projection();
  linear->adapt("q", {.rank = 2});
  linear->adapt("v", {.rank = 2});
  randomize(*linear);
  linear->weight.set_requires_grad(false);
  linear->bias.set_requires_grad(false);
  const Tensor x = at::randn({6, 4});
  const Tensor plain_y = at::linear(x, linear->weight, linear->bias);
  const Tensor y = linear->forward(x);
  CHECK(y.narrow(1, 4, 1).equal(plain_y.narrow(1, 4, 1)));
  CHECK_FALSE(y.narrow(1, 0, 4).allclose(plain_y.narrow(1, 0, 4)));
  y.sum().backward();
  CHECK_FALSE(linear->weight.grad().defined());
  CHECK_FALSE(linear->bias.grad().defined());
  for (const auto& addition : linear->adapters) {
    CHECK(addition->a.grad().defined());
    CHECK(addition->b.grad().defined());
  }
}

TEST_CASE("merged projections have parts: q, k, v of attention, k, v across, gate and up of gated networks") {
  const auto names = [](const Linear& linear) {
    std::string all;
    int64_t rows = 0;
    for (const RowPart& part : linear.parts) {
      all += part.name + fmt::format("{} ", part.rows);
      rows += part.rows;
    }
    CHECK((linear.parts.empty() || rows == linear.weight.size(0)));
    return all;
  };
  const AttentionOptions attention{.width = 12, .shape = {4, 2, 3}};
  CHECK(names(*SelfAttention(attention).qkv) == "q12 k6 v6 ");
  CHECK(names(*CrossAttention(attention).kv) == "k6 v6 ");
  CHECK(names(*FeedForward({.width = 4, .inner_width = 5, .kind = FeedForwardKind::swiglu}).in) ==
        "gate5 up5 ");
  CHECK(names(*FeedForward({.width = 4, .inner_width = 5}).in).empty());
  CHECK_THROWS_AS(merged_projection()->adapt("w", {}), std::logic_error);
}
