// What the tests of the kernels share: closeness of tensors, gradients of a function, seeds.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <ATen/Context.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include "core/tensor.h"
#include "support/catch.h"

namespace lmzoo::test {

// A float32 leaf that wants a gradient.
inline Tensor leaf(at::IntArrayRef shape, at::ScalarType type = at::kFloat) {
  return at::randn(shape).to(type).requires_grad_();
}

// Largest difference, relative to the largest magnitude of `expected` (or 0.1, for gradients that cancel to
// nothing): the tolerance of sums of many terms of order 1.
inline double distance(const Tensor& actual, const Tensor& expected) {
  const Tensor wide = expected.detach().to(at::kDouble);
  const double scale = std::max(wide.abs().max().item<double>(), 0.1);
  return (actual.detach().to(at::kDouble) - wide).abs().max().item<double>() / scale;
}

inline void require_close(const Tensor& actual,
                          const Tensor& expected,
                          double tolerance,
                          const std::string& what) {
  INFO(what << ": " << distance(actual, expected) << " allowed " << tolerance);
  REQUIRE(actual.sizes() == expected.sizes());
  REQUIRE(actual.scalar_type() == expected.scalar_type());
  REQUIRE(distance(actual, expected) <= tolerance);  // false for NaN, too
}

// Outputs of `function` and the gradients of their weighted sum with respect to `leaves`, from one dropout
// seed.
struct Evaluation {
  std::vector<Tensor> outputs;
  std::vector<Tensor> gradients;
};
inline Evaluation evaluate(const std::function<std::vector<Tensor>()>& function, std::vector<Tensor> leaves) {
  at::manual_seed(99);
  Evaluation result;
  result.outputs = function();
  at::manual_seed(7);
  Tensor total = at::zeros({});
  for (const Tensor& output : result.outputs) {
    const auto wide = output.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
    total = total + (output.to(wide) * at::randn(output.sizes()).to(wide)).sum();
  }
  for (Tensor& x : leaves) {
    x.mutable_grad() = Tensor();
  }
  total.backward();
  for (const Tensor& x : leaves) {
    result.gradients.push_back(x.grad().defined() ? x.grad().clone() : at::zeros_like(x));
  }
  return result;
}

inline void require_same(const std::function<std::vector<Tensor>()>& fast,
                         const std::function<std::vector<Tensor>()>& reference,
                         const std::vector<Tensor>& leaves,
                         double tolerance) {
  const Evaluation actual = evaluate(fast, leaves);
  const Evaluation expected = evaluate(reference, leaves);
  for (size_t i = 0; i < expected.outputs.size(); ++i) {
    require_close(actual.outputs[i], expected.outputs[i], tolerance, "output " + std::to_string(i));
  }
  for (size_t i = 0; i < leaves.size(); ++i) {
    require_close(actual.gradients[i], expected.gradients[i], tolerance, "gradient " + std::to_string(i));
  }
}

// Autograd's gradients of a scalar float64 function against central differences.
inline void check_kernel_gradients(const std::function<Tensor()>& function,
                                   const std::vector<Tensor>& leaves) {
  const Evaluation exact = evaluate([&] { return std::vector<Tensor>{function()}; }, leaves);
  const auto value = [&] {
    const at::NoGradGuard no_grad;
    at::manual_seed(99);
    const Tensor output = function();
    at::manual_seed(7);
    return (output * at::randn(output.sizes()).to(at::kDouble)).sum().item<double>();
  };
  constexpr double kStep = 1e-5;
  for (size_t i = 0; i < leaves.size(); ++i) {
    const Tensor flat = leaves[i].detach().view(-1);
    for (int64_t j = 0; j < flat.numel(); ++j) {
      const double x = flat[j].item<double>();
      flat[j] = x + kStep;
      const double above = value();
      flat[j] = x - kStep;
      const double below = value();
      flat[j] = x;
      INFO("leaf " << i << " element " << j);
      REQUIRE(exact.gradients[i].view(-1)[j].item<double>() ==
              Approx((above - below) / (2 * kStep)).epsilon(1e-5).margin(1e-7));
    }
  }
}

}  // namespace lmzoo::test
