// The element-wise steps by plain operators: tests, float64, and CUDA (where dropout is LibTorch's own).
#include <ATen/ops/cat.h>
#include <ATen/ops/dropout.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/stack.h>

#include "core/tensor.h"
#include "nn/kernels/autocast.h"
#include "nn/kernels/dropout.h"
#include "nn/kernels/elementwise.h"
#include "nn/kernels/elementwise_shape.h"

namespace lmzoo {

at::ScalarType norm_result_type(const Tensor& x) {
  return x.scalar_type() == at::kDouble ? at::kDouble : autocast_type(x.device()).value_or(x.scalar_type());
}

namespace {

// At least float32.
Tensor widen(const Tensor& x) { return x.scalar_type() == at::kDouble ? x : x.to(at::kFloat); }

Tensor add_bias(const Tensor& x, const Tensor& bias) { return bias.defined() ? widen(x) + bias : widen(x); }

// Of float32 or float64.
Tensor drop_elements(const Tensor& x, double p) {
  if (!x.is_cpu()) {
    return p > 0 ? at::dropout(x, p, /*train=*/true) : x;
  }
  const DropoutMask mask = draw_dropout(p);
  if (mask.threshold == 0) {
    return x;
  }
  return x * dropout_factors(mask, x.numel() / x.size(-1), x.size(-1)).view(x.sizes());
}

Tensor apply_activation(const Tensor& x, Activation kind) {
  switch (kind) {
    case Activation::relu:
      return at::relu(x);
    case Activation::gelu:
      return at::gelu(x);
    case Activation::gelu_tanh:
      return at::gelu(x, "tanh");
    case Activation::silu:
      break;
  }
  return at::silu(x);
}

// Of float32 or float64.
Tensor normalize(const Tensor& x, const NormParameters& parameters) {
  if (parameters.kind == NormKind::layer) {
    return at::layer_norm(x, {x.size(-1)}, parameters.weight, parameters.bias, parameters.eps);
  }
  const Tensor normal = x * at::rsqrt(x.square().mean(-1, /*keepdim=*/true) + parameters.eps);
  const Tensor scaled = parameters.weight.defined() ? normal * parameters.weight : normal;
  return parameters.bias.defined() ? scaled + parameters.bias : scaled;
}

}  // namespace

namespace reference {

Tensor dropout(const Tensor& x, double p) { return drop_elements(widen(x), p).to(x.scalar_type()); }

Tensor dropout_add(const ResidualUpdate& update) {
  const Tensor added = drop_elements(add_bias(update.x, update.bias), update.dropout);
  return (widen(update.residual) + added).to(update.residual.scalar_type());
}

Normed dropout_add_norm(const ResidualUpdate& update,
                        const NormParameters& parameters,
                        NormPlacement placement) {
  const Tensor added = drop_elements(add_bias(update.x, update.bias), update.dropout);
  const Tensor sum = widen(update.residual) + added;
  const Tensor normed = normalize(sum, parameters);
  const Tensor& stream = placement == NormPlacement::pre ? sum : normed;
  return {stream.to(update.residual.scalar_type()), normed.to(norm_result_type(update.residual))};
}

Tensor norm(const Tensor& x, const NormParameters& parameters) {
  return normalize(widen(x), parameters).to(norm_result_type(x));
}

Tensor activate(const ActivationInputs& inputs, Activation kind) {
  return drop_elements(apply_activation(add_bias(inputs.x, inputs.bias), kind), inputs.dropout)
      .to(inputs.x.scalar_type());
}

Tensor gated(const ActivationInputs& inputs, Activation kind) {
  const std::vector<Tensor> halves = add_bias(inputs.x, inputs.bias).chunk(2, -1);
  return drop_elements(apply_activation(halves[0], kind) * halves[1], inputs.dropout)
      .to(inputs.x.scalar_type());
}

Tensor rotate(const Tensor& x, int64_t heads, const RotaryAngles& angles, RotaryLayout layout) {
  const int64_t half = x.size(2) / 2;
  const Tensor turned = widen(x.narrow(1, 0, heads));
  const Tensor kept = x.narrow(1, heads, x.size(1) - heads);
  const Tensor cos = angles.cos.unsqueeze(1);  // [N, 1, Dh/2]
  const Tensor sin = angles.sin.unsqueeze(1);
  const bool halves = layout == RotaryLayout::halves;
  const Tensor pairs =
      halves ? turned.unflatten(2, {2, half}) : turned.unflatten(2, {half, 2}).transpose(2, 3);
  const Tensor a = pairs.select(2, 0);  // [N, T, Dh/2]
  const Tensor b = pairs.select(2, 1);
  const Tensor result = at::stack({a * cos - b * sin, b * cos + a * sin}, halves ? 2 : 3).flatten(2);
  return at::cat({result.to(x.scalar_type()), kept}, 1);
}

}  // namespace reference
}  // namespace lmzoo
