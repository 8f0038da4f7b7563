// Activations, gates, dropout and rotary positions of elementwise.h as fused steps of autograd.
#include <stdexcept>

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/custom_class.h>

#include "base/check.h"
#include "core/isa.h"
#include "nn/kernels/dropout.h"
#include "nn/kernels/elementwise.h"
#include "nn/kernels/row_work.h"

namespace lmzoo {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

ElementwiseKernels activation_kernels() { return LMZOO_BEST_ISA(elementwise_kernels()); }

struct ActivationCall : torch::CustomClassHolder {
  Activation kind = Activation::relu;
  bool gated = false;
  bool wants_gradient = false;
  DropoutMask dropout;
};

ActivationKind kernel_kind(Activation kind) {
  switch (kind) {
    case Activation::relu:
      return ActivationKind::relu;
    case Activation::gelu:
      return ActivationKind::gelu;
    case Activation::gelu_tanh:
      return ActivationKind::gelu_tanh;
    case Activation::silu:
      break;
  }
  return ActivationKind::silu;
}

class FusedActivation : public torch::autograd::Function<FusedActivation> {
 public:
  static Tensor forward(AutogradContext* context,
                        const Tensor& x,
                        const std::optional<Tensor>& bias,
                        const c10::intrusive_ptr<ActivationCall>& call) {
    const Tensor input = x.contiguous();
    std::vector<int64_t> shape = x.sizes().vec();
    shape.back() /= call->gated ? 2 : 1;
    const Tensor out = at::empty(shape, x.options());
    const Tensor slopes = call->wants_gradient ? at::empty(x.sizes(), x.options()) : Tensor();
    const ActivationRows rows{.width = shape.back(),
                              .gated = call->gated,
                              .kind = kernel_kind(call->kind),
                              .x = numbers_of(input),
                              .bias = floats_of(bias.value_or(Tensor())),
                              .dropout = call->dropout,
                              .out = numbers_of(out),
                              .slopes = numbers_of(slopes)};
    const int64_t count = out.numel() / rows.width;
    for_each_run(count, runs_of(count, rows.width), [&](int64_t begin, int64_t end, int64_t) {
      activation_kernels().activate(rows, begin, end);
    });
    context->save_for_backward({slopes});
    context->saved_data["gated"] = call->gated;
    context->saved_data["bias"] = bias.has_value();
    return out;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const Tensor slopes = context->get_saved_variables()[0];
    const Tensor gradient = gradients[0].contiguous();
    const Tensor dx = at::empty_like(slopes);
    const ActivationGradientRows rows{.width = gradient.size(-1),
                                      .gated = context->saved_data["gated"].toBool(),
                                      .gradient = numbers_of(gradient),
                                      .slopes = numbers_of(slopes),
                                      .dx = numbers_of(dx),
                                      .bias = context->saved_data["bias"].toBool()};
    const int64_t count = gradient.numel() / rows.width;
    const int64_t sums = rows.bias ? slopes.size(-1) : 0;
    const Tensor dbias = sum_over_runs(
        count, runs_of(count, rows.width), sums, [&](int64_t begin, int64_t end, float* partial) {
          activation_kernels().activate_gradient(rows, begin, end, partial);
        });
    return {dx, rows.bias ? dbias : Tensor(), Tensor()};
  }
};

struct DropoutCall : torch::CustomClassHolder {
  DropoutMask dropout;
};

Tensor drop(const Tensor& x, const DropoutMask& mask) {
  const Tensor input = x.contiguous();
  const Tensor out = at::empty(x.sizes(), x.options());
  const DropoutRows rows{x.size(-1), numbers_of(input), numbers_of(out), mask};
  const int64_t count = x.numel() / rows.width;
  for_each_run(count, runs_of(count, rows.width), [&](int64_t begin, int64_t end, int64_t) {
    activation_kernels().dropout(rows, begin, end);
  });
  return out;
}

class FusedDropout : public torch::autograd::Function<FusedDropout> {
 public:
  static Tensor forward(AutogradContext* context,
                        const Tensor& x,
                        const c10::intrusive_ptr<DropoutCall>& call) {
    context->saved_data["call"] = c10::IValue::make_capsule(call);
    return drop(x, call->dropout);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto holder = context->saved_data["call"].toCapsule();
    return {drop(gradients[0], static_cast<const DropoutCall&>(*holder).dropout), Tensor()};
  }
};

struct RotaryCall : torch::CustomClassHolder {
  int64_t turned = 0;
  RotaryLayout layout = RotaryLayout::halves;
};

Tensor turn(const Tensor& x, const RotaryAngles& angles, const RotaryCall& call, float direction) {
  const Tensor input = x.contiguous();
  const Tensor out = at::empty(x.sizes(), x.options());
  RotaryRows rows;
  rows.heads = x.size(1);
  rows.turned = call.turned;
  rows.width = x.size(2);
  rows.x = numbers_of(input);
  rows.out = numbers_of(out);
  rows.cos = floats_of(angles.cos);
  rows.sin = floats_of(angles.sin);
  rows.direction = direction;
  rows.interleaved = call.layout == RotaryLayout::interleaved;
  for_each_run(x.size(0),
               runs_of(x.size(0), rows.heads * rows.width),
               [&](int64_t begin, int64_t end, int64_t) { activation_kernels().rotate(rows, begin, end); });
  return out;
}

class FusedRotation : public torch::autograd::Function<FusedRotation> {
 public:
  static Tensor forward(AutogradContext* context,
                        const Tensor& x,
                        const Tensor& cos,
                        const Tensor& sin,
                        const c10::intrusive_ptr<RotaryCall>& call) {
    context->save_for_backward({cos, sin});
    context->saved_data["call"] = c10::IValue::make_capsule(call);
    return turn(x, {cos, sin}, *call, 1);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const auto holder = context->saved_data["call"].toCapsule();
    return {
        turn(gradients[0], {saved[0], saved[1]}, static_cast<const RotaryCall&>(*holder), -1), {}, {}, {}};
  }
};

bool fusible_activation(const ActivationInputs& inputs) {
  return is_kernel_number(inputs.x) && is_kernel_parameter(inputs.bias);
}

Tensor run_activation(const ActivationInputs& inputs, Activation kind, bool gated_halves) {
  auto call = c10::make_intrusive<ActivationCall>();
  call->kind = kind;
  call->gated = gated_halves;
  call->wants_gradient = at::GradMode::is_enabled() &&
                         (inputs.x.requires_grad() || (inputs.bias.defined() && inputs.bias.requires_grad()));
  call->dropout = draw_dropout(inputs.dropout);
  return FusedActivation::apply(inputs.x, if_defined(inputs.bias), call);
}

}  // namespace

Tensor activate(const ActivationInputs& inputs, Activation kind) {
  return fusible_activation(inputs) ? run_activation(inputs, kind, false) : reference::activate(inputs, kind);
}

Tensor gated(const ActivationInputs& inputs, Activation kind) {
  if (inputs.x.size(-1) % 2 != 0) {
    throw std::logic_error(fmt::format("gated: rows of {} numbers have no halves", inputs.x.size(-1)));
  }
  return fusible_activation(inputs) ? run_activation(inputs, kind, true) : reference::gated(inputs, kind);
}

Tensor dropout(const Tensor& x, double p) {
  if (p == 0) {
    return x;
  }
  if (!is_kernel_number(x)) {
    return reference::dropout(x, p);
  }
  auto call = c10::make_intrusive<DropoutCall>();
  call->dropout = draw_dropout(p);
  return FusedDropout::apply(x, call);
}

Tensor rotate(const Tensor& x, int64_t heads, const RotaryAngles& angles, RotaryLayout layout) {
  if (!is_kernel_number(x) || angles.cos.scalar_type() != at::kFloat) {
    return reference::rotate(x, heads, angles, layout);
  }
  auto call = c10::make_intrusive<RotaryCall>();
  call->turned = heads;
  call->layout = layout;
  return FusedRotation::apply(x, angles.cos.contiguous(), angles.sin.contiguous(), call);
}

}  // namespace lmzoo
