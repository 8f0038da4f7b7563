#include "objectives/parts/soft_targets.h"

#include <algorithm>
#include <optional>

#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <torch/csrc/autograd/custom_function.h>

#include "nn/kernels/autocast.h"
#include "nn/kernels/product.h"

namespace lmzoo {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr int64_t kSoftChunkBytes = int64_t{64} << 20;  // of each of the two logits

at::ScalarType exact_type(const Tensor& weight) {
  return weight.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
}

Projection narrowed(const Projection& all, int64_t begin, int64_t count) {
  return {all.rows.narrow(0, begin, count), all.weight, all.bias};
}

// In the type that products have under autocast, where it is on.
at::ScalarType product_type(const Tensor& weight) {
  const auto own = weight.scalar_type();
  return own == at::kDouble ? own : autocast_type(weight.device()).value_or(own);
}

Tensor log_shares(const Projection& projection, double temperature) {
  const auto& [rows, weight, bias] = projection;
  const auto type = product_type(weight);
  Tensor logits = product(rows.to(type), weight.t().to(type)).to(exact_type(weight));  // [k, V]
  logits = bias.defined() ? logits + bias : logits;
  return (logits / temperature).log_softmax(1);
}

// The loss of some rows, and its slopes in the student's logits.
struct SoftChunk {
  Tensor sum;
  Tensor slopes;  // [k, V]
};

SoftChunk soft_chunk(const Projection& student, const SoftTargets& targets) {
  const double t = targets.temperature;
  const Tensor told = log_shares(targets.teacher, t), said = log_shares(student, t);
  const Tensor p = told.exp();
  Tensor each = (p * (told - said)).sum(1) * (t * t);  // [k]
  Tensor slopes = (said.exp() - p).mul_(t);
  if (targets.weights.defined()) {
    each = each * targets.weights;
    slopes.mul_(targets.weights.unsqueeze(1));
  }
  return {each.sum(), slopes};
}

class SoftTargetLoss : public torch::autograd::Function<SoftTargetLoss> {
 public:
  static Tensor forward(AutogradContext* context,
                        const Tensor& rows,
                        const Tensor& weight,
                        const std::optional<Tensor>& bias,
                        const SoftTargets& targets) {
    const auto type = product_type(weight);
    const Projection student{rows, weight, bias.value_or(Tensor())};
    const int64_t count = rows.size(0);
    const int64_t most = std::max<int64_t>(1, kSoftChunkBytes / (4 * weight.size(0)));
    Tensor sum = at::zeros({}, weight.options().dtype(exact_type(weight)));
    Tensor row_slopes = at::zeros_like(rows), weight_slopes = at::zeros_like(weight);
    Tensor bias_slopes = bias ? at::zeros_like(*bias) : Tensor();
    for (int64_t begin = 0; begin < count; begin += most) {
      const int64_t size = std::min(most, count - begin);
      const Projection part = narrowed(student, begin, size);
      SoftTargets told{.teacher = narrowed(targets.teacher, begin, size), .temperature = targets.temperature};
      told.weights = targets.weights.defined() ? targets.weights.narrow(0, begin, size) : Tensor();
      const SoftChunk chunk = soft_chunk(part, told);
      sum += chunk.sum;
      const Tensor slopes = chunk.slopes.to(type);
      row_slopes.narrow(0, begin, size).copy_(product(slopes, weight.to(type)));
      weight_slopes += product(slopes.t(), part.rows.to(type));
      if (bias) {
        bias_slopes += chunk.slopes.sum(0);
      }
    }
    context->save_for_backward({row_slopes, weight_slopes, bias_slopes});
    return sum;
  }

  static variable_list backward(AutogradContext* context, const variable_list& upstream) {
    variable_list gradients;
    for (const Tensor& slopes : context->get_saved_variables()) {
      gradients.push_back(slopes.defined() ? slopes * upstream[0].to(slopes.scalar_type()) : slopes);
    }
    gradients.emplace_back();  // of the targets
    return gradients;
  }
};

}  // namespace

Tensor soft_target_loss(const Projection& student, const SoftTargets& targets) {
  const std::optional<Tensor> bias = student.bias.defined() ? std::optional(student.bias) : std::nullopt;
  return SoftTargetLoss::apply(student.rows, student.weight, bias, targets);
}

Tensor soft_target_loss_reference(const Projection& student, const SoftTargets& targets) {
  const double t = targets.temperature;
  const Tensor told = log_shares(targets.teacher, t).detach();
  const Tensor each = (told.exp() * (told - log_shares(student, t))).sum(1) * (t * t);
  return (targets.weights.defined() ? each * targets.weights : each).sum();
}

}  // namespace lmzoo
