#include <ATen/Context.h>
#include <ATen/autocast_mode.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>

#include "core/isa.h"
#include "nn/kernels/linear.h"
#include "nn/kernels/product.h"
#include "nn/kernels_support.h"

using namespace lmzoo;
using namespace lmzoo::test;

namespace {

// Compared in float32 although x may be bfloat16: outputs and gradients of linear_rows and at::linear.
void require_linear(const Tensor& x, bool bias, double tolerance) {
  const Tensor weight = leaf({24, x.size(-1)});
  const Tensor added = bias ? leaf({24}) : Tensor();
  std::vector<Tensor> leaves{x, weight};
  if (bias) {
    leaves.push_back(added);
  }
  require_same([&] { return std::vector{linear_rows(x, weight, added)}; },
               [&] { return std::vector{bias ? at::linear(x, weight, added) : at::linear(x, weight)}; },
               leaves,
               tolerance);
}

}  // namespace

TEST_CASE("linear_rows is at::linear, whatever the number of rows and the processor") {
  at::manual_seed(1);
  const ScopedIsa allowed(GENERATE(Isa::avx2, Isa::avx512));
  const bool bias = GENERATE(false, true);
  for (const int64_t rows : {1, 63, 65, 80, 515, 576}) {
    require_linear(leaf({rows, 40}), bias, 1e-6);
    at::autocast::set_autocast_enabled(at::kCPU, true);
    require_linear(leaf({rows, 40}), bias, 1e-2);
    require_linear(leaf({rows, 40}, at::kBFloat16), bias, 1e-2);
    at::autocast::set_autocast_enabled(at::kCPU, false);
    at::autocast::clear_cache();
  }
}

TEST_CASE("a product in bfloat16 is the exact product of its arguments, rounded once") {
  at::manual_seed(2);
  const ScopedIsa allowed(GENERATE(Isa::generic, Isa::avx2, Isa::avx512));
  const Tensor a = at::randn({9, 33}).to(at::kBFloat16), b = at::randn({33, 17}).to(at::kBFloat16);
  const Tensor exact = at::mm(a.to(at::kDouble), b.to(at::kDouble));
  CHECK(product(a, b).scalar_type() == at::kBFloat16);
  // Half a unit in the last of 8 bits, and the sum of 33 products in float32.
  CHECK(at::allclose(product(a, b).to(at::kDouble), exact, 1.0 / 256, 1e-5));
  const Tensor sum = at::ones({9, 17}, at::kBFloat16);
  add_product(sum, a, b, 0.5);
  CHECK(at::allclose(sum.to(at::kDouble), 1 + 0.5 * exact, 1.0 / 128, 2e-2));
}

TEST_CASE("linear_rows keeps leading dimensions, and computes no gradient that nobody wants") {
  at::autocast::set_autocast_enabled(at::kCPU, true);
  const Tensor x = at::randn({5, 15, 40});
  const Tensor weight = leaf({24, 40});
  const Tensor y = linear_rows(x, weight, {});
  y.sum().backward();
  at::autocast::set_autocast_enabled(at::kCPU, false);
  CHECK(y.sizes() == at::IntArrayRef{5, 15, 24});
  CHECK(y.scalar_type() == at::kBFloat16);
  CHECK(weight.grad().scalar_type() == at::kFloat);
  CHECK_FALSE(x.grad().defined());
}
