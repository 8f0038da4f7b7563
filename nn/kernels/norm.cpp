// dropout_add, dropout_add_norm and norms of elementwise.h as one fused step of autograd.
#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/custom_class.h>

#include "core/isa.h"
#include "nn/kernels/dropout.h"
#include "nn/kernels/elementwise.h"
#include "nn/kernels/elementwise_shape.h"
#include "nn/kernels/row_work.h"

namespace lmzoo {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

ElementwiseKernels norm_kernels_here() { return LMZOO_BEST_ISA(elementwise_kernels()); }

// What the outputs are.
enum class Result {
  sum,          // {sum}
  normed,       // {normed}
  sum_normed,   // {sum, normed}
  twice_normed  // {normed in float32 as the stream, normed}
};

// Everything of a call that is not a tensor with a gradient; kept for the backward pass.
struct NormCall : torch::CustomClassHolder {
  Result result = Result::sum;
  NormKind kind = NormKind::layer;
  double eps = 0;
  at::ScalarType normed_type = at::kFloat;
  at::ScalarType x_type = at::kFloat;
  DropoutMask dropout;
  bool has_residual = false;
  bool has_norm_bias = false;
};

struct NormTensors {
  Tensor x;  // when there is no sum, also in the backward pass
  Tensor sum, bias, weight, norm_bias;
  Tensor moments;  // [2, R]: means, inverse deviations
};

NormRows rows_of(const NormCall& call, const NormTensors& t) {
  NormRows rows;
  rows.width = (t.sum.defined() ? t.sum : t.x).size(-1);
  rows.x = {t.x.defined() ? t.x.data_ptr() : nullptr, call.x_type == at::kBFloat16};
  rows.bias = floats_of(t.bias);
  rows.dropout = call.dropout;
  rows.sum = t.sum.defined() ? t.sum.mutable_data_ptr<float>() : nullptr;
  rows.rms = call.kind == NormKind::rms;
  rows.weight = floats_of(t.weight);
  rows.norm_bias = floats_of(t.norm_bias);
  rows.eps = static_cast<float>(call.eps);
  if (t.moments.defined()) {
    rows.mean = t.moments.mutable_data_ptr<float>();
    rows.inverse_deviation = rows.mean + t.moments.size(1);
  }
  return rows;
}

class FusedNorm : public torch::autograd::Function<FusedNorm> {
 public:
  static variable_list forward(AutogradContext* context,
                               const Tensor& x,
                               const std::optional<Tensor>& residual,
                               const std::optional<Tensor>& bias,
                               const std::optional<Tensor>& weight,
                               const std::optional<Tensor>& norm_bias,
                               const c10::intrusive_ptr<NormCall>& call) {
    const int64_t width = x.size(-1);
    const int64_t count = x.numel() / width;
    NormTensors t{x.contiguous(),
                  {},
                  bias.value_or(Tensor()),
                  weight.value_or(Tensor()),
                  norm_bias.value_or(Tensor()),
                  {}};
    t.sum = residual ? at::empty(x.sizes(), on_cpu(at::kFloat)) : Tensor();
    t.moments = weight ? at::empty({2, count}, on_cpu(at::kFloat)) : Tensor();
    const Tensor normed = weight ? at::empty(x.sizes(), on_cpu(call->normed_type)) : Tensor();
    const Tensor stream =
        call->result == Result::twice_normed ? at::empty(x.sizes(), on_cpu(at::kFloat)) : Tensor();
    const Tensor before = residual ? residual->contiguous() : Tensor();
    NormRows rows = rows_of(*call, t);
    rows.residual = floats_of(before);
    rows.normed = numbers_of(normed);
    rows.normed_stream = stream.defined() ? stream.mutable_data_ptr<float>() : nullptr;
    for_each_run(count, runs_of(count, width), [&](int64_t begin, int64_t end, int64_t) {
      norm_kernels_here().norm(rows, begin, end);
    });
    const Tensor input = t.sum.defined() ? t.sum : t.x;
    context->save_for_backward({weight ? input : Tensor(), t.bias, t.weight, t.moments});
    context->saved_data["call"] = c10::IValue::make_capsule(call);
    context->set_materialize_grads(false);
    switch (call->result) {
      case Result::sum:
        return {t.sum};
      case Result::normed:
        return {normed};
      case Result::sum_normed:
        return {t.sum, normed};
      case Result::twice_normed:
        break;
    }
    return {stream, normed};
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const auto holder = context->saved_data["call"].toCapsule();
    const auto& call = static_cast<const NormCall&>(*holder);
    const bool only_normed = call.result == Result::normed;
    const Tensor stream = only_normed ? Tensor() : contiguous_or_none(gradients[0]);
    const Tensor normed = contiguous_or_none(gradients.back());
    NormTensors t{{}, {}, saved[1], saved[2], {}, saved[3]};
    (call.has_residual ? t.sum : t.x) = saved[0];
    return call.result == Result::sum ? pass_sum(call, t, stream) : pass_norm(call, t, stream, normed);
  }

 private:
  // Whether the gradients of x and of the residual are one.
  static bool one_gradient(const NormCall& call) {
    return call.has_residual && call.dropout.threshold == 0 && call.x_type == at::kFloat;
  }

  // residual + dropout(x + bias): the residual's gradient is the sum's.
  static variable_list pass_sum(const NormCall& call, NormTensors& t, const Tensor& stream) {
    const bool one = one_gradient(call);
    const Tensor dx = one ? stream : at::empty(stream.sizes(), on_cpu(call.x_type));
    if (one && !t.bias.defined()) {
      return {dx, stream, Tensor(), Tensor(), Tensor(), Tensor()};
    }
    t.x = dx;  // for its width; the kernel reads none
    NormRowsGradient gradient;
    gradient.stream = floats_of(stream);
    gradient.x = one ? Numbers{} : numbers_of(dx);
    const Tensor sums = run(rows_of(call, t), gradient, stream.numel());
    return {dx, stream, t.bias.defined() ? sums[0] : Tensor(), Tensor(), Tensor(), Tensor()};
  }

  static variable_list pass_norm(const NormCall& call,
                                 const NormTensors& t,
                                 const Tensor& stream,
                                 const Tensor& normed) {
    const Tensor& input = call.has_residual ? t.sum : t.x;
    const bool one = one_gradient(call);
    const Tensor dresidual = call.has_residual ? at::empty(input.sizes(), on_cpu(at::kFloat)) : Tensor();
    const Tensor dx = one ? dresidual : at::empty(input.sizes(), on_cpu(call.x_type));
    NormRowsGradient gradient;
    gradient.stream = floats_of(stream);
    gradient.normed = numbers_of(normed);
    gradient.post = call.result == Result::twice_normed;
    gradient.residual = dresidual.defined() ? dresidual.mutable_data_ptr<float>() : nullptr;
    gradient.x = one ? Numbers{} : numbers_of(dx);
    const Tensor sums = run(rows_of(call, t), gradient, input.numel());
    return {dx,
            dresidual,
            t.bias.defined() ? sums[0] : Tensor(),
            sums[1],
            call.has_norm_bias ? sums[2] : Tensor(),
            Tensor()};
  }

  // -> [3, D]: the gradients of bias, weight and the norm's bias.
  static Tensor run(const NormRows& rows, const NormRowsGradient& gradient, int64_t elements) {
    const int64_t width = rows.width;
    const int64_t count = elements / width;
    return sum_over_runs(count,
                         runs_of(count, width),
                         3 * width,
                         [&](int64_t begin, int64_t end, float* partial) {
                           norm_kernels_here().norm_gradient(rows, gradient, begin, end, partial);
                         })
        .view({3, width});
  }
};

bool fusible_norm(const ResidualUpdate& update, const NormParameters& parameters) {
  const Tensor& residual = update.residual;
  return is_kernel_number(update.x) && is_kernel_parameter(update.bias) && is_kernel_parameter(residual) &&
         is_kernel_parameter(parameters.weight) && is_kernel_parameter(parameters.bias) &&
         (!residual.defined() || residual.sizes() == update.x.sizes());
}

variable_list fused_norm(const ResidualUpdate& update,
                         const NormParameters& parameters,
                         c10::intrusive_ptr<NormCall> call) {
  call->kind = parameters.kind;
  call->eps = parameters.eps;
  call->x_type = update.x.scalar_type();
  call->dropout = draw_dropout(update.dropout);
  call->has_residual = update.residual.defined();
  call->has_norm_bias = parameters.bias.defined();
  return FusedNorm::apply(update.x,
                          if_defined(update.residual),
                          if_defined(update.bias),
                          if_defined(parameters.weight),
                          if_defined(parameters.bias),
                          call);
}

// A norm without weights multiplies by ones: the kernel, for which a norm has weights, stays as it is.
NormParameters weighted(NormParameters parameters, int64_t width) {
  if (!parameters.weight.defined()) {
    parameters.weight = at::ones({width}, on_cpu(at::kFloat));
  }
  return parameters;
}

Tensor norm_to(const Tensor& x, const NormParameters& parameters, at::ScalarType type) {
  const ResidualUpdate update{x, {}, {}, 0};
  if (!fusible_norm(update, parameters) || (type != at::kFloat && type != at::kBFloat16)) {
    return reference::norm(x, parameters).to(type);
  }
  auto call = c10::make_intrusive<NormCall>();
  call->result = Result::normed;
  call->normed_type = type;
  return fused_norm(update, weighted(parameters, x.size(-1)), std::move(call))[0];
}

}  // namespace

Tensor dropout_add(const ResidualUpdate& update) {
  if (!fusible_norm(update, {})) {
    return reference::dropout_add(update);
  }
  return fused_norm(update, {}, c10::make_intrusive<NormCall>())[0];
}

Normed dropout_add_norm(const ResidualUpdate& update,
                        const NormParameters& parameters,
                        NormPlacement placement) {
  const at::ScalarType type = norm_result_type(update.residual);
  if (!fusible_norm(update, parameters) || (type != at::kFloat && type != at::kBFloat16)) {
    return reference::dropout_add_norm(update, parameters, placement);
  }
  auto call = c10::make_intrusive<NormCall>();
  call->normed_type = type;
  const bool post = placement == NormPlacement::post;
  call->result = !post ? Result::sum_normed : type == at::kFloat ? Result::normed : Result::twice_normed;
  const variable_list outputs = fused_norm(update, weighted(parameters, update.x.size(-1)), std::move(call));
  return {outputs.front(), outputs.back()};
}

Tensor norm(const Tensor& x, const NormParameters& parameters) {
  return norm_to(x, parameters, norm_result_type(x));
}

Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps) {
  return norm_to(x, {NormKind::layer, weight, bias, eps}, x.scalar_type());
}

Tensor rms_norm(const Tensor& x, const Tensor& weight, double eps) {
  return norm_to(x, {NormKind::rms, weight, {}, eps}, x.scalar_type());
}

}  // namespace lmzoo
