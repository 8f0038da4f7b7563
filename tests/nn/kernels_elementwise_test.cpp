#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/autocast_mode.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/linspace.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include "core/isa.h"
#include "nn/kernels/elementwise.h"
#include "nn/kernels_support.h"

using namespace lmzoo;
using namespace lmzoo::test;

namespace {

// bfloat16 autocast on the CPU while it lives.
class Autocast {
 public:
  explicit Autocast(bool on) : before_(at::autocast::is_autocast_enabled(at::kCPU)) {
    at::autocast::set_autocast_enabled(at::kCPU, on);
  }
  ~Autocast() { at::autocast::set_autocast_enabled(at::kCPU, before_); }
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
  bool before_;
};

double tolerance_of(at::ScalarType type) { return type == at::kFloat ? 1e-5 : 1e-2; }

struct Kind {
  Isa limit;
  at::ScalarType type;
  int64_t width;
};

// Every instruction set and type, widths below, at and between the widths of vectors and groups.
Kind any_kind() {
  const auto limit = GENERATE(Isa::generic, Isa::avx2, Isa::avx512);
  const auto type = GENERATE(at::kFloat, at::kBFloat16);
  const int64_t width = GENERATE(6, 64, 93);
  return {limit, type, width};
}

}  // namespace

TEST_CASE("dropout_add equals the plain one") {
  const auto [limit, type, width] = any_kind();
  const ScopedIsa scoped(limit);
  const double p = GENERATE(0.0, 0.2);
  const bool with_bias = GENERATE(false, true);
  at::manual_seed(1);
  ResidualUpdate update{leaf({5, 7, width}, type), {}, leaf({5, 7, width}), p};
  std::vector<Tensor> leaves{update.x, update.residual};
  if (with_bias) {
    update.bias = leaf({width});
    leaves.push_back(update.bias);
  }
  require_same([&] { return std::vector{dropout_add(update)}; },
               [&] { return std::vector{reference::dropout_add(update)}; },
               leaves,
               tolerance_of(type));
}

TEST_CASE("dropout_add_norm equals the plain one, with and without autocast") {
  const auto [limit, type, width] = any_kind();
  const ScopedIsa scoped(limit);
  const Autocast autocast(GENERATE(false, true));
  const auto placement = GENERATE(NormPlacement::pre, NormPlacement::post);
  const auto kind = GENERATE(NormKind::layer, NormKind::rms);
  for (const double p : {0.0, 0.2}) {
    at::manual_seed(2);
    const ResidualUpdate update{leaf({35, width}, type), leaf({width}), leaf({35, width}), p};
    const NormParameters parameters{
        kind, leaf({width}), kind == NormKind::layer ? leaf({width}) : Tensor(), 1e-5};
    std::vector<Tensor> leaves{update.x, update.bias, update.residual, parameters.weight};
    if (parameters.bias.defined()) {
      leaves.push_back(parameters.bias);
    }
    const auto both = [](const Normed& result) { return std::vector{result.stream, result.normed}; };
    const bool half = type == at::kBFloat16 || at::autocast::is_autocast_enabled(at::kCPU);
    require_same([&] { return both(dropout_add_norm(update, parameters, placement)); },
                 [&] { return both(reference::dropout_add_norm(update, parameters, placement)); },
                 leaves,
                 half ? 1e-2 : 1e-5);
    // Only one of the results is used.
    require_same(
        [&] { return std::vector{dropout_add_norm(update, parameters, placement).normed}; },
        [&] { return std::vector{reference::dropout_add_norm(update, parameters, placement).normed}; },
        leaves,
        half ? 1e-2 : 1e-5);
  }
}

TEST_CASE("under autocast the stream stays float32 and what the next product reads is bfloat16") {
  const Autocast autocast(true);
  const ResidualUpdate update{at::randn({3, 8}).to(at::kBFloat16), {}, at::randn({3, 8}), 0};
  const NormParameters parameters{NormKind::layer, at::ones({8}), at::zeros({8}), 1e-5};
  for (const auto placement : {NormPlacement::pre, NormPlacement::post}) {
    const Normed result = dropout_add_norm(update, parameters, placement);
    CHECK(result.stream.scalar_type() == at::kFloat);
    CHECK(result.normed.scalar_type() == at::kBFloat16);
  }
  CHECK(norm(update.residual, parameters).scalar_type() == at::kBFloat16);
  CHECK(layer_norm(update.residual, parameters.weight, parameters.bias, 1e-5).scalar_type() == at::kFloat);
}

TEST_CASE("norms equal the plain ones") {
  const auto [limit, type, width] = any_kind();
  const ScopedIsa scoped(limit);
  const auto kind = GENERATE(NormKind::layer, NormKind::rms);
  at::manual_seed(3);
  const Tensor x = leaf({35, width}, type);
  const NormParameters parameters{kind, leaf({width}), leaf({width}), 1e-6};
  require_same([&] { return std::vector{norm(x, parameters)}; },
               [&] { return std::vector{reference::norm(x, parameters)}; },
               {x, parameters.weight, parameters.bias},
               tolerance_of(type));
}

TEST_CASE("a norm without weights is one whose weight is 1, in every form and type") {
  const auto type = GENERATE(at::kFloat, at::kBFloat16, at::kDouble);
  const auto kind = GENERATE(NormKind::layer, NormKind::rms);
  at::manual_seed(5);
  const auto other = type == at::kDouble ? at::kDouble : at::kFloat;
  const ResidualUpdate update{leaf({9, 93}, type), {}, leaf({9, 93}, other), 0.2};
  const NormParameters bare{kind, {}, {}, 1e-6}, ones{kind, at::ones({93}, other), {}, 1e-6};
  const auto all = [&](const NormParameters& parameters) {
    const Normed pre = dropout_add_norm(update, parameters, NormPlacement::pre);
    const Normed post = dropout_add_norm(update, parameters, NormPlacement::post);
    return std::vector{norm(update.x, parameters), pre.stream, pre.normed, post.stream};
  };
  require_same([&] { return all(bare); },
               [&] { return all(ones); },
               {update.x, update.residual},
               type == at::kDouble ? 1e-12 : 0);
}

TEST_CASE("layer_norm survives a large mean") {
  at::manual_seed(3);
  const Tensor x = at::randn({4, 256}) + 1000;
  const Tensor expected = at::layer_norm(x.to(at::kDouble), {256}).to(at::kFloat);
  require_close(layer_norm(x, at::ones({256}), {}, 1e-5), expected, 1e-4, "mean 1000");
}

TEST_CASE("activations and gates equal the plain ones") {
  const auto [limit, type, width] = any_kind();
  const ScopedIsa scoped(limit);
  const auto kind = GENERATE(Activation::relu, Activation::gelu, Activation::gelu_tanh, Activation::silu);
  const double p = GENERATE(0.0, 0.2);
  at::manual_seed(4);
  const Tensor x = leaf({35, 2 * width}, type);
  const Tensor bias = leaf({2 * width});
  for (const Tensor& added : {Tensor(), bias}) {
    const ActivationInputs inputs{x, added, p};
    std::vector<Tensor> leaves{x};
    if (added.defined()) {
      leaves.push_back(added);
    }
    require_same([&] { return std::vector{activate(inputs, kind)}; },
                 [&] { return std::vector{reference::activate(inputs, kind)}; },
                 leaves,
                 tolerance_of(type));
    require_same([&] { return std::vector{gated(inputs, kind)}; },
                 [&] { return std::vector{reference::gated(inputs, kind)}; },
                 leaves,
                 tolerance_of(type));
  }
}

TEST_CASE("GELU is exact to float32 over its whole range, and extreme inputs stay finite") {
  const ScopedIsa scoped(GENERATE(Isa::generic, Isa::avx2, Isa::avx512));
  const Tensor x = at::linspace(-12, 12, 4801).unsqueeze(0);
  for (const auto kind : {Activation::gelu, Activation::gelu_tanh}) {
    const Tensor expected = at::gelu(x.to(at::kDouble), kind == Activation::gelu ? "none" : "tanh");
    const Tensor error = (activate({x, {}, 0}, kind).to(at::kDouble) - expected).abs();
    CHECK((error - expected.abs() * 3e-7).max().item<double>() < 3e-7);
  }
  const std::vector<float> far{-1e30f, -1e4f, -100.0f, 0.0f, 100.0f, 1e4f, 1e30f};
  const Tensor extreme = at::tensor(far).unsqueeze(0).requires_grad_();
  for (const auto kind : {Activation::gelu, Activation::gelu_tanh, Activation::silu, Activation::relu}) {
    const Tensor y = activate({extreme, {}, 0}, kind);
    extreme.mutable_grad() = Tensor();
    y.sum().backward();
    CHECK(y.isfinite().all().item<bool>());
    CHECK(extreme.grad().isfinite().all().item<bool>());
  }
}

TEST_CASE("dropout equals the plain one, keeps its share and its mean") {
  const auto [limit, type, width] = any_kind();
  const ScopedIsa scoped(limit);
  at::manual_seed(5);
  const Tensor x = leaf({500, width}, type);
  require_same([&] { return std::vector{dropout(x, 0.3)}; },
               [&] { return std::vector{reference::dropout(x, 0.3)}; },
               {x},
               tolerance_of(type));
  const Tensor ones = at::ones({2000, width}).to(type);
  const double kept = dropout(ones, 0.3).count_nonzero().item<double>();
  const double n = static_cast<double>(ones.numel());
  CHECK(std::abs(kept - 0.7 * n) < 5 * std::sqrt(n * 0.3 * 0.7));
}

TEST_CASE("two calls drop different elements, one seed the same") {
  const Tensor ones = at::ones({64, 64});
  at::manual_seed(6);
  const Tensor first = dropout(ones, 0.5);
  const Tensor second = dropout(ones, 0.5);
  at::manual_seed(6);
  CHECK(at::equal(dropout(ones, 0.5), first));
  CHECK_FALSE(at::equal(first, second));
}

TEST_CASE("rotation equals the plain one in both layouts") {
  const ScopedIsa scoped(GENERATE(Isa::generic, Isa::avx2, Isa::avx512));
  const auto type = GENERATE(at::kFloat, at::kBFloat16);
  const auto layout = GENERATE(RotaryLayout::halves, RotaryLayout::interleaved);
  const int64_t width = GENERATE(2, 10, 64);
  at::manual_seed(7);
  const Tensor x = leaf({13, 5, width}, type);
  const Tensor angle = at::randn({13, width / 2});
  const RotaryAngles angles{angle.cos(), angle.sin()};
  require_same([&] { return std::vector{rotate(x, 3, angles, layout)}; },
               [&] { return std::vector{reference::rotate(x, 3, angles, layout)}; },
               {x},
               tolerance_of(type));
}

TEST_CASE("the plain steps have exact gradients, float64 takes them") {
  at::manual_seed(8);
  const auto wide = [](at::IntArrayRef shape) { return leaf(shape, at::kDouble); };
  const ResidualUpdate update{wide({3, 6}), wide({6}), wide({3, 6}), 0.3};
  const NormParameters parameters{GENERATE(NormKind::layer, NormKind::rms), wide({6}), wide({6}), 1e-5};
  check_kernel_gradients([&] { return dropout_add_norm(update, parameters, NormPlacement::post).stream; },
                         {update.x, update.bias, update.residual, parameters.weight, parameters.bias});
  const ActivationInputs inputs{wide({3, 6}), wide({6}), 0.3};
  check_kernel_gradients([&] { return gated(inputs, Activation::gelu); }, {inputs.x, inputs.bias});
  check_kernel_gradients([&] { return activate(inputs, Activation::silu); }, {inputs.x, inputs.bias});
  const Tensor angle = at::randn({3, 3}, at::kDouble);
  const Tensor x = wide({3, 2, 6});
  check_kernel_gradients(
      [&] {
        return rotate(x, 1, {angle.cos(), angle.sin()}, RotaryLayout::interleaved);
      },
      {x});
}

TEST_CASE("results do not depend on the number of threads, sums over rows only by rounding") {
  at::manual_seed(9);
  const ResidualUpdate update{leaf({400, 256}), leaf({256}), leaf({400, 256}), 0.1};
  const NormParameters parameters{NormKind::layer, leaf({256}), leaf({256}), 1e-5};
  const std::vector<Tensor> leaves{
      update.x, update.bias, update.residual, parameters.weight, parameters.bias};
  const auto run = [&](int threads) {
    const int before = at::get_num_threads();
    at::set_num_threads(threads);
    const Evaluation result =
        evaluate([&] { return std::vector{dropout_add_norm(update, parameters).normed}; }, leaves);
    at::set_num_threads(before);
    return result;
  };
  const Evaluation one = run(1);
  const Evaluation two = run(2);
  const Evaluation again = run(2);
  CHECK(at::equal(one.outputs[0], two.outputs[0]));
  for (size_t i = 0; i < leaves.size(); ++i) {
    CHECK(at::equal(two.gradients[i], again.gradients[i]));
    require_close(one.gradients[i], two.gradients[i], 1e-5, "one thread and two");
  }
}
