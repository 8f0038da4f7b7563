#include "train/optimizer.h"

#include <algorithm>

#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

namespace lmzoo {

Optimizer::Optimizer(NamedTensors parameters, const OptimizerOptions& options)
    : parameters_(std::move(parameters)), options_(options) {
  check(!parameters_.empty(), "no parameter is trained: everything is frozen");
  const at::NoGradGuard no_grad;
  for (const NamedTensor& entry : parameters_) {
    means_.push_back(at::zeros_like(entry.tensor));
    squares_.push_back(at::zeros_like(entry.tensor));
    steps_.push_back(at::zeros({}, at::TensorOptions(entry.tensor.device()).dtype(torch::kFloat32)));
  }
}

void Optimizer::clear_gradients() {
  for (NamedTensor& entry : parameters_) {
    entry.tensor.mutable_grad() = Tensor();
  }
}

void Optimizer::gather(bool decays, Group& group) const {
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const Tensor& parameter = parameters_[i].tensor;
    if ((parameter.dim() >= 2) != decays || !parameter.grad().defined()) {
      continue;
    }
    group.parameters.push_back(parameter);
    group.gradients.push_back(parameter.grad());
    group.means.push_back(means_[i]);
    group.squares.push_back(squares_[i]);
    group.steps.push_back(steps_[i]);
  }
}

Optimizer::Update Optimizer::step(double lr, int64_t count, const Tensor& loss) {
  const at::NoGradGuard no_grad;
  Group groups[2];
  gather(false, groups[0]);
  gather(true, groups[1]);
  std::vector<Tensor> gradients = groups[0].gradients;
  gradients.insert(gradients.end(), groups[1].gradients.begin(), groups[1].gradients.end());

  const double labels = static_cast<double>(std::max<int64_t>(count, 1));
  Update update;
  update.grad_norm = global_norm(gradients) / labels;
  update.skipped = at::isfinite(update.grad_norm + loss).logical_not_().to(torch::kFloat32);
  const Tensor took_place = 1 - update.skipped;
  Tensor scale = at::full({}, labels, update.grad_norm.options());
  if (options_.clip_norm > 0) {
    scale = (update.grad_norm / options_.clip_norm).clamp_min_(1).mul_(labels);
  }
  for (Group& group : groups) {
    if (group.parameters.empty()) {
      continue;
    }
    // The kernel corrects the moments' bias by the count of this update, so it is counted first; a skipped
    // one is not.
    at::_foreach_add_(group.steps, took_place);
    at::_fused_adamw_(group.parameters,
                      group.gradients,
                      group.means,
                      group.squares,
                      {},
                      group.steps,
                      lr,
                      options_.beta1,
                      options_.beta2,
                      &group == &groups[1] ? options_.weight_decay : 0,
                      options_.eps,
                      false,
                      false,
                      scale,
                      update.skipped);
  }
  clear_gradients();
  return update;
}

NamedTensors Optimizer::state() const {
  NamedTensors all;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    all.push_back({parameters_[i].name + ".exp_avg", means_[i]});
    all.push_back({parameters_[i].name + ".exp_avg_sq", squares_[i]});
    all.push_back({parameters_[i].name + ".step", steps_[i]});
  }
  return all;
}

}  // namespace lmzoo
