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
  std::optional<int64_t> window{};
};

Case windowed(int64_t window, Case c) {
  c.name += ", window of " + std::to_string(window);
  c.window = window;
  return c;
}

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
    windowed(2, {"uniform", {40, 40}, {40, 40}}),
    windowed(17, {"both sides", {5, 33, 64, 200}, {5, 33, 64, 200}, {2, 2, 64}}),
    windowed(9, {"cross", {3, 70, 20}, {40, 90, 100}, {2, 2, 32}}),
    windowed(16, {"causal", {17, 128, 330}, {17, 128, 330}, {2, 2, 32}, MaskKind::causal}),
    windowed(500, {"wider than any sequence", {17, 128}, {17, 128}, {2, 2, 32}, MaskKind::causal}),
    windowed(8, {"causal with cached keys", {1, 5, 40}, {120, 70, 40}, {6, 2, 16}, MaskKind::causal}),
    windowed(6, {"prefix", {17, 128, 33}, {17, 128, 33}, {2, 2, 32}, MaskKind::prefix, {3, 70, 33}}),
    windowed(40, {"dense bias", {17, 200, 33}, {17, 200, 33}, {3, 3, 16}, MaskKind::full, {}, 3}),
    windowed(
        7, {"causal relative bias", {17, 170, 33}, {40, 170, 33}, {4, 2, 16}, MaskKind::causal, {}, 2, 0.3}),
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
  in.rule = {.mask = c.mask,
             .prefix = c.prefix,
             .window = c.window,
             .bias = {},
             .scale = c.scale,
             .dropout = c.dropout};
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

TEST_CASE("keys that no query of a block can see are never read") {
  const Isa limit = GENERATE(Isa::generic, Isa::avx2, Isa::avx512);
  const auto type = GENERATE(at::kFloat, at::kBFloat16);
  const ScopedIsa scoped(limit);
  const Problem problem = make(windowed(64, {"causal", {1024}, {1024}, {2, 2, 16}, MaskKind::causal}), type);
  const Tensor expected = attention(problem.inputs);
  AttentionInputs poisoned = problem.inputs;
  for (Tensor* keys : {&poisoned.k, &poisoned.v}) {
    *keys = keys->detach().clone();
    keys->narrow(0, 0, 512).fill_(std::nan(""));
  }
  // The first block whose columns all lie behind the poison: rows, window and rounding are less than 192.
  CHECK(at::equal(attention(poisoned).slice(0, 704), expected.slice(0, 704)));
}

TEST_CASE("padded attention by LibTorch's operators equals the fused kernel") {
  for (Case c : kCases) {
    c.dropout = 0;  // of LibTorch's own generator there
    INFO(c.name);
    if (c.name == "causal, some queries see nothing") {
      continue;  // LibTorch's operators define no result
    }
    const Problem problem = make(c, at::kFloat);
    require_same([&] { return std::vector{attention_on_device(problem.inputs)}; },
                 [&] { return std::vector{attention(problem.inputs)}; },
                 problem.leaves,
                 1e-5);
  }
}

TEST_CASE("layers of a forward pass share the masks that a device needs") {
  const Problem local = make(kCases[15], at::kFloat), other = make(kCases[15], at::kFloat);
  REQUIRE(local.inputs.rule.window == 17);
  AttentionMasks masks;
  const Tensor first = masks.mask_of(local.inputs);
  CHECK(first.is_same(masks.mask_of(other.inputs)));
  AttentionInputs wide = local.inputs;
  wide.rule.window = 19;
  CHECK_FALSE(first.is_same(masks.mask_of(wide)));
  wide.rule = {};
  CHECK(masks.mask_of(wide).defined());  // of ragged sequences
  AttentionMasks uniform;
  CHECK_FALSE(uniform.mask_of(make(kCases[0], at::kFloat).inputs).defined());
}

TEST_CASE("on CUDA flash takes what needs no mask in half precision, the memory-efficient kernel the rest") {
  const DeviceCall half{.type = at::kBFloat16, .head_width = 64};
  const auto kernel_with = [](DeviceCall call, const auto& change) {
    change(call);
    return device_kernel(call);
  };
  CHECK(device_kernel(half) == DeviceKernel::flash);
  CHECK(kernel_with(half, [](auto& c) { c.mask = MaskKind::causal; }) == DeviceKernel::flash);
  CHECK(kernel_with(half, [](auto& c) { c.head_width = 20; }) == DeviceKernel::flash);
  CHECK(kernel_with(half, [](auto& c) { c.is_uniform = false; }) == DeviceKernel::flash_packed);
  CHECK(kernel_with(half, [](auto& c) { c.has_window = true; }) == DeviceKernel::flash_packed);
  CHECK(kernel_with(half, [](auto& c) { c.has_bias = true; }) == DeviceKernel::efficient);
  CHECK(kernel_with(half, [](auto& c) { c.mask = MaskKind::prefix; }) == DeviceKernel::efficient);
  CHECK(kernel_with(half, [](auto& c) { c.head_width = 320; }) == DeviceKernel::efficient);
  CHECK(kernel_with(half, [](auto& c) {
          c.mask = MaskKind::causal;
          c.is_aligned = false;
        }) == DeviceKernel::efficient);
  CHECK(kernel_with(half, [](auto& c) { c.type = at::kFloat; }) == DeviceKernel::efficient);
  CHECK(kernel_with(half, [](auto& c) { c.type = at::kDouble; }) == DeviceKernel::plain);
}

TEST_CASE("plain attention has exact gradients, float64 takes it") {
  for (const Case& c : {Case{"small", {3, 4}, {3, 4}, {2, 1, 4}, MaskKind::causal, {}, 2, 0.2},
                        windowed(2, {"local", {3, 5}, {3, 5}, {2, 1, 4}, MaskKind::causal, {}, 2, 0.2}),
                        windowed(3, {"local", {3, 5}, {3, 5}, {2, 1, 4}, MaskKind::full, {}, 3}),
                        windowed(2, {"local", {3, 5}, {3, 5}, {2, 1, 4}, MaskKind::prefix, {2, 4}})}) {
    INFO(c.name);
    const Problem problem = make(c, at::kDouble);
    check_kernel_gradients([&] { return attention(problem.inputs); }, problem.leaves);
  }
}

TEST_CASE("a window shows what its definition says, on both sides and behind") {
  const auto seen = [](const AttentionRule& rule) {  // of query 4 of 9
    const Sequences sequences(std::vector<int64_t>{9});
    const Tensor x = at::zeros({9, 1, 2});
    return attention_probabilities({x, x, x, sequences, sequences, rule})[0][0][4] > 0;
  };
  const auto keys = [](const std::vector<int64_t>& at) {
    Tensor all = at::zeros({9}, at::kBool);
    for (const int64_t key : at) {
      all[key] = true;
    }
    return all;
  };
  CHECK(at::equal(seen({.window = 4}), keys({2, 3, 4, 5, 6})));
  CHECK(at::equal(seen({.window = 5}), keys({2, 3, 4, 5, 6})));
  CHECK(at::equal(seen({.mask = MaskKind::causal, .window = 3}), keys({2, 3, 4})));
  CHECK(at::equal(seen({.mask = MaskKind::prefix, .prefix = {8}, .window = 3}), keys({2, 3, 4, 5, 6})));
  CHECK(at::equal(seen({.mask = MaskKind::prefix, .prefix = {6}, .window = 3}), keys({2, 3, 4, 5})));
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
  problem.inputs.rule.window = 0;
  CHECK_THROWS_WITH(attention(problem.inputs), Catch::Contains("a window of 0 keys"));
  problem.inputs.rule.window = std::nullopt;
  problem.inputs.rule.bias = at::zeros({2, 126}, at::kFloat);
  CHECK_THROWS_WITH(attention(problem.inputs), Catch::Contains("[2, 126]") && Catch::Contains("127"));
  problem.inputs.rule.bias = Tensor();
  problem.inputs.q = at::zeros(at::IntArrayRef{64, 2, 16});
  CHECK_THROWS_WITH(attention(problem.inputs), Catch::Contains("64") && Catch::Contains("128"));
}
