#include <cmath>

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/zeros.h>

#include "core/isa.h"
#include "nn/kernels/attention.h"
#include "nn/kernels/attention_device.h"
#include "nn/kernels/dropout.h"
#include "nn/kernels_support.h"

using namespace lmzoo;
using namespace lmzoo::test;

namespace {

struct Case {
  std::string name;
  std::vector<int64_t> queries, keys;
  HeadShape shape{2, 2, 16};
  MaskKind mask = MaskKind::full;
  std::vector<int64_t> prefix{};
  int64_t bias = 0;  // dimensions of the bias
  double dropout = 0;
  std::optional<double> scale{};
};

// Uniform and ragged, lengths below, at and above the widths of vectors, groups and blocks; every kind of
// mask, bias.
const std::vector<Case> kCases{
    {"uniform", {64, 64}, {64, 64}},
    {"one position", {1, 1, 1}, {1, 1, 1}},
    {"ragged, wide heads", {5, 33, 64, 130}, {5, 33, 64, 130}, {2, 2, 64}},
    {"odd head width", {7, 19}, {7, 19}, {3, 3, 6}},
    {"cross", {3, 70, 20}, {40, 9, 100}, {2, 2, 32}},
    {"causal", {17, 128, 33}, {17, 128, 33}, {2, 2, 32}, MaskKind::causal},
    {"causal with cached keys", {1, 5, 40}, {12, 70, 40}, {2, 2, 16}, MaskKind::causal},
    {"causal, some queries see nothing", {6, 4}, {4, 4}, {2, 2, 16}, MaskKind::causal},
    {"prefix", {17, 128, 33}, {17, 128, 33}, {2, 2, 32}, MaskKind::prefix, {3, 70, 33}},
    {"grouped heads", {17, 33}, {17, 33}, {6, 2, 16}, MaskKind::causal},
    {"dense bias", {17, 40, 33}, {17, 40, 33}, {3, 3, 16}, MaskKind::full, {}, 3, 0, 1.0},
    {"relative bias", {17, 70, 33}, {17, 70, 33}, {3, 3, 16}, MaskKind::full, {}, 2, 0, 1.0},
    {"causal relative bias with cached keys", {1, 5, 33}, {12, 70, 33}, {4, 2, 16}, MaskKind::causal, {}, 2},
    {"dropout", {17, 128, 33}, {17, 128, 33}, {2, 2, 32}, MaskKind::full, {}, 0, 0.1},
    {"everything", {17, 100, 33}, {20, 128, 33}, {4, 2, 32}, MaskKind::prefix, {3, 70, 33}, 2, 0.3},
};

struct Problem {
  AttentionInputs inputs;
  std::vector<Tensor> leaves;
};

Problem make(const Case& c, at::ScalarType type) {
  at::manual_seed(5);
  Problem problem;
  AttentionInputs& in = problem.inputs;
  in.queries = Sequences(c.queries);
  in.keys = Sequences(c.keys);
  in.q = leaf({in.queries.total(), c.shape.heads, c.shape.width}, type);
  in.k = leaf({in.keys.total(), c.shape.key_heads, c.shape.width}, type);
  in.v = leaf({in.keys.total(), c.shape.key_heads, c.shape.width}, type);
  problem.leaves = {in.q, in.k, in.v};
  in.rule = {.mask = c.mask, .prefix = c.prefix, .bias = {}, .scale = c.scale, .dropout = c.dropout};
  if (c.bias > 0) {
    const int64_t longest = in.keys.longest();
    in.rule.bias = c.bias == 3 ? leaf({c.shape.heads, in.queries.longest(), longest})
                               : leaf({c.shape.heads, 2 * longest + 3});
    if (type == at::kDouble) {
      in.rule.bias = in.rule.bias.detach().to(type).requires_grad_();
    }
    problem.leaves.push_back(in.rule.bias);
  }
  return problem;
}

}  // namespace

TEST_CASE("fused attention equals the plain one for every mask, bias, length and instruction set") {
  const Isa limit = GENERATE(Isa::generic, Isa::avx2, Isa::avx512);
  const auto type = GENERATE(at::kFloat, at::kBFloat16);
  const ScopedIsa scoped(limit);
  for (const Case& c : kCases) {
    INFO(c.name << " " << name_of(isa()) << " " << at::toString(type));
    const Problem problem = make(c, type);
    require_same([&] { return std::vector{attention(problem.inputs)}; },
                 [&] { return std::vector{attention_reference(problem.inputs)}; },
                 problem.leaves,
                 type == at::kFloat ? 1e-5 : 1e-2);
  }
}

TEST_CASE("attention on a device (here: the CPU) equals the plain one") {
  for (Case c : kCases) {
    c.dropout = 0;  // of LibTorch's own generator there
    INFO(c.name);
    if (c.name == "causal, some queries see nothing") {
      continue;  // LibTorch's operators define no result
    }
    const Problem problem = make(c, at::kFloat);
    require_same([&] { return std::vector{attention_on_device(problem.inputs)}; },
                 [&] { return std::vector{attention_reference(problem.inputs)}; },
                 problem.leaves,
                 1e-5);
  }
}

TEST_CASE("plain attention has exact gradients, float64 takes it") {
  Case c{"small", {3, 4}, {3, 4}, {2, 1, 4}, MaskKind::causal, {}, 2, 0.2};
  const Problem problem = make(c, at::kDouble);
  check_gradients([&] { return attention(problem.inputs); }, problem.leaves);
}

TEST_CASE("plain attention is LibTorch's") {
  at::manual_seed(3);
  const Tensor x = at::randn({3, 2 * 20, 4, 8}, at::kDouble);
  const auto sequences = Sequences::uniform(2, 20);
  const auto padded = [](const Tensor& rows) { return rows.view({2, 20, 4, 8}).transpose(1, 2); };
  const Tensor expected =
      at::scaled_dot_product_attention(padded(x[0]), padded(x[1]), padded(x[2]), {}, 0, true);
  const AttentionInputs inputs{x[0], x[1], x[2], sequences, sequences, {.mask = MaskKind::causal}};
  require_close(attention_reference(inputs), expected.transpose(1, 2).flatten(0, 1), 1e-12, "output");
}

TEST_CASE("merged projections give what separate ones give, gradients included") {
  at::manual_seed(4);
  const HeadShape shape{4, 2, 16};
  const Sequences sequences(std::vector<int64_t>{9, 40});
  const Sequences targets(std::vector<int64_t>{5, 33});
  const auto type = GENERATE(at::kFloat, at::kBFloat16);
  const Tensor qkv = leaf({49, 8 * 16}, type);
  const AttentionRule rule{.mask = MaskKind::causal, .dropout = 0.2};
  const auto split = [&](int64_t from, int64_t heads) {
    return qkv.view({49, 8, 16}).narrow(1, from, heads);
  };
  require_same([&] { return std::vector{self_attention_qkv(qkv, shape, sequences, rule)}; },
               [&] {
                 return std::vector{
                     attention_reference({split(0, 4), split(4, 2), split(6, 2), sequences, sequences, rule})
                         .flatten(1)};
               },
               {qkv},
               type == at::kFloat ? 1e-5 : 1e-2);

  const Tensor q = leaf({38, 4 * 16}, type);
  const Tensor kv = leaf({49, 4 * 16}, type);
  const auto of_kv = [&](int64_t from) { return kv.view({49, 4, 16}).narrow(1, from, 2); };
  require_same(
      [&] {
        return std::vector{cross_attention_kv({q, kv, shape, targets, sequences}, {})};
      },
      [&] {
        return std::vector{
            attention_reference({q.view({38, 4, 16}), of_kv(0), of_kv(2), targets, sequences, {}})
                .flatten(1)};
      },
      {q, kv},
      type == at::kFloat ? 1e-5 : 1e-2);
}

TEST_CASE("the same seed gives the same bits, whatever the number of threads") {
  const Problem problem = make(kCases.back(), at::kFloat);
  const auto run = [&] {
    return evaluate([&] { return std::vector{attention(problem.inputs)}; }, problem.leaves);
  };
  const int before = at::get_num_threads();
  at::set_num_threads(1);
  const Evaluation one = run();
  at::set_num_threads(2);
  const Evaluation two = run();
  const Evaluation again = run();
  at::set_num_threads(before);
  CHECK(at::equal(one.outputs[0], two.outputs[0]));
  for (size_t i = 0; i < problem.leaves.size(); ++i) {
    CHECK(at::equal(two.gradients[i], again.gradients[i]));
    require_close(one.gradients[i], two.gradients[i], 1e-6, "one thread and two");
  }
}

TEST_CASE("dropout drops the probability it was given, evenly over rows, columns and seeds") {
  constexpr int64_t kRows = 2000;
  constexpr int64_t kColumns = 500;
  const double p = GENERATE(0.1, 0.5, 0.003);
  at::manual_seed(11);
  const DropoutMask mask = draw_dropout(p);
  const Tensor kept = dropout_factors(mask, kRows, kColumns) > 0;
  const auto check_rate = [&](const Tensor& x) {
    const double n = static_cast<double>(x.numel());
    const double dropped = n - x.sum().item<double>();
    CHECK(std::abs(dropped - n * p) < 5 * std::sqrt(n * p * (1 - p)));
  };
  check_rate(kept);
  for (int64_t i = 0; i < 40; ++i) {
    check_rate(kept[i]);
    check_rate(kept.select(1, i));
  }
  // Neighbors in a row, in a column, 16 columns on (the other half of the same bits), and of another seed:
  // pairs that are both dropped number p² of all.
  const Tensor dropped = kept.logical_not();
  const DropoutMask other{mask.seed + 1, mask.threshold, mask.scale};
  const auto check_pairs = [&](const Tensor& a, const Tensor& b) {
    const double n = static_cast<double>(a.numel());
    const double both = a.logical_and(b).sum().item<double>();
    CHECK(std::abs(both - n * p * p) < 5 * std::sqrt(n * p * p));
  };
  for (const int64_t shift : {1, 2, 16, 32}) {
    check_pairs(dropped.narrow(1, 0, kColumns - shift), dropped.narrow(1, shift, kColumns - shift));
    check_pairs(dropped.narrow(0, 0, kRows - shift), dropped.narrow(0, shift, kRows - shift));
  }
  check_pairs(dropped, dropout_factors(other, kRows, kColumns) == 0);
}

TEST_CASE("probabilities for traces sum to one over the keys of the sequence and are zero beyond") {
  const Problem problem = make(kCases[7], at::kFloat);  // some queries see nothing
  const Tensor all = attention_probabilities(problem.inputs);
  CHECK(all.sizes() == at::IntArrayRef{2, 2, 6, 4});
  CHECK(all[0].narrow(1, 0, 2).abs().max().item<double>() == 0);
  CHECK(all[0].narrow(1, 2, 4).sum(-1).allclose(at::ones({2, 4})));
  CHECK(all[1].narrow(1, 4, 2).abs().max().item<double>() == 0);
}

TEST_CASE("inputs that do not fit together are refused with their sizes") {
  Problem problem = make(kCases[0], at::kFloat);
  problem.inputs.rule.bias = at::zeros({2, 126}, at::kFloat);
  CHECK_THROWS_WITH(attention(problem.inputs), Catch::Contains("[2, 126]") && Catch::Contains("127"));
  problem.inputs.rule.bias = Tensor();
  problem.inputs.q = at::zeros(at::IntArrayRef{64, 2, 16});
  CHECK_THROWS_WITH(attention(problem.inputs), Catch::Contains("64") && Catch::Contains("128"));
}
