#include "models/kernels/linear.h"

#include <optional>

#include <ATen/autocast_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/mm.h>
#include <torch/csrc/autograd/custom_function.h>

namespace lmzoo {
namespace {

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr int64_t kFewestRows = 64;  // below, rows repeat by themselves (generation) or cost little

// Few distinct numbers, of which the next is never far.
int64_t rounded_rows(int64_t rows) {
  const int64_t step = rows < 512 ? 16 : 64;
  return (rows + step - 1) / step * step;
}

// x [R, C] in bfloat16 with zeros below it.
Tensor padded(const Tensor& x, int64_t rows) {
  if (x.size(0) == rows) {
    return x.to(torch::kBFloat16).contiguous();
  }
  const Tensor result = at::empty({rows, x.size(1)}, torch::kBFloat16);
  result.narrow(0, 0, x.size(0)).copy_(x);
  result.narrow(0, x.size(0), rows - x.size(0)).zero_();
  return result;
}

class PaddedLinear : public torch::autograd::Function<PaddedLinear> {
 public:
  static Tensor forward(AutogradContext* context,
                        const Tensor& x,
                        const Tensor& weight,
                        const std::optional<Tensor>& bias) {
    const Tensor rows = padded(x, rounded_rows(x.size(0)));
    const Tensor narrow_weight = weight.to(torch::kBFloat16);
    const Tensor y =
        bias ? at::linear(rows, narrow_weight, bias->to(torch::kBFloat16)) : at::linear(rows, narrow_weight);
    context->save_for_backward({rows, narrow_weight});
    context->saved_data["x"] = x.scalar_type();
    context->saved_data["weight"] = weight.scalar_type();
    context->saved_data["bias"] = bias.has_value();
    return y.narrow(0, 0, x.size(0));
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const Tensor& rows = saved[0];
    const Tensor gradient = padded(gradients[0], rows.size(0));
    const auto weight_type = context->saved_data["weight"].toScalarType();
    variable_list result(3);
    if (context->needs_input_grad(0)) {
      result[0] = at::mm(gradient, saved[1])
                      .narrow(0, 0, gradients[0].size(0))
                      .to(context->saved_data["x"].toScalarType());
    }
    if (context->needs_input_grad(1)) {
      result[1] = at::mm(gradient.t(), rows).to(weight_type);
    }
    if (context->saved_data["bias"].toBool()) {
      result[2] = gradients[0].sum(0).to(weight_type);
    }
    return result;
  }
};

// Whether the product will be oneDNN's.
bool in_bfloat16(const Tensor& x, const Tensor& weight) {
  if (!x.is_cpu() || weight.scalar_type() == torch::kFloat64) {
    return false;
  }
  const bool autocast = at::autocast::is_autocast_enabled(at::kCPU) &&
                        at::autocast::get_autocast_dtype(at::kCPU) == torch::kBFloat16;
  return autocast || (x.scalar_type() == torch::kBFloat16 && weight.scalar_type() == torch::kBFloat16);
}

}  // namespace

Tensor linear_rows(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  const std::optional<Tensor> maybe_bias = bias.defined() ? std::optional(bias) : std::nullopt;
  const int64_t rows = x.numel() / x.size(-1);
  if (!in_bfloat16(x, weight) || rows < kFewestRows || rounded_rows(rows) == rows) {
    return at::linear(x, weight, maybe_bias);
  }
  const Tensor y = PaddedLinear::apply(x.reshape({rows, x.size(-1)}), weight, maybe_bias);
  std::vector<int64_t> shape = x.sizes().vec();
  shape.back() = weight.size(0);
  return y.view(shape);
}

}  // namespace lmzoo
