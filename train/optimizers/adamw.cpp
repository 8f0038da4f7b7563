#include "core/optimizer.h"

#include <algorithm>
#include <cmath>

#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/full.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

namespace lmzoo {
namespace {

constexpr double kSmallestRms = 1e-3;  // Adafactor's epsilon_2: zeros must be able to move

}  // namespace

Optimizer::Optimizer(NamedTensors parameters, const OptimizerOptions& options, std::vector<double> rates)
    : parameters_(std::move(parameters)), options_(options), rates_(std::move(rates)) {
  check(!parameters_.empty(), "no parameter is trained: everything is frozen");
  rates_.resize(parameters_.size(), 1);
  const at::NoGradGuard no_grad;
  for (const NamedTensor& entry : parameters_) {
    means_.push_back(at::zeros_like(entry.tensor));
    squares_.push_back(at::zeros_like(entry.tensor));
    steps_.push_back(at::zeros({}, at::TensorOptions(entry.tensor.device()).dtype(at::kFloat)));
  }
}

void Optimizer::clear_gradients() {
  for (NamedTensor& entry : parameters_) {
    entry.tensor.mutable_grad() = Tensor();
  }
}

std::map<Optimizer::Kind, Optimizer::Group> Optimizer::gather() const {
  std::map<Kind, Group> groups;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const Tensor& parameter = parameters_[i].tensor;
    if (!parameter.grad().defined()) {
      continue;
    }
    Group& group = groups[{.decays = parameter.dim() >= 2, .rate = rates_[i]}];
    group.parameters.push_back(parameter);
    group.gradients.push_back(parameter.grad());
    group.means.push_back(means_[i]);
    group.squares.push_back(squares_[i]);
    group.steps.push_back(steps_[i]);
  }
  return groups;
}

Optimizer::Update Optimizer::step(double lr, double count, const Tensor& loss) {
  const at::NoGradGuard no_grad;
  std::map<Kind, Group> groups = gather();
  std::vector<Tensor> gradients;
  for (const auto& [kind, group] : groups) {
    gradients.insert(gradients.end(), group.gradients.begin(), group.gradients.end());
  }

  const double labels = count > 0 ? count : 1;
  Update update;
  update.grad_norm = global_norm(gradients) / labels;
  update.skipped = at::isfinite(update.grad_norm + loss).logical_not_().to(at::kFloat);
  const Tensor took_place = 1 - update.skipped;
  Tensor scale = at::full({}, labels, update.grad_norm.options());
  if (options_.clip_norm > 0) {
    scale = (update.grad_norm / options_.clip_norm).clamp_min_(1).mul_(labels);
  }
  for (auto& [kind, group] : groups) {
    // The kernel corrects the moments' bias by the count of this update, so it is counted first; a skipped
    // one is not.
    at::_foreach_add_(group.steps, took_place);
    const double decay = kind.decays ? options_.weight_decay : 0;
    if (options_.scale_by_rms) {
      apply_scaled(group, lr * kind.rate, decay, scale, update);
    } else {
      apply(group, lr * kind.rate, decay, scale, update);
    }
  }
  clear_gradients();
  return update;
}

template <typename Rate>
void Optimizer::apply(
    Group& group, const Rate& lr, double weight_decay, const Tensor& scale, const Update& update) {
  at::_fused_adamw_(group.parameters,
                    group.gradients,
                    group.means,
                    group.squares,
                    {},
                    group.steps,
                    lr,
                    options_.beta1,
                    options_.beta2,
                    weight_decay,
                    options_.eps,
                    /*amsgrad=*/false,
                    /*maximize=*/false,
                    scale,
                    update.skipped);
}

// The kernel takes one learning rate a call, so here every tensor is a call of its own.
void Optimizer::apply_scaled(
    Group& group, double lr, double weight_decay, const Tensor& scale, const Update& update) {
  const std::vector<Tensor> norms = at::_foreach_norm(group.parameters);
  for (size_t i = 0; i < group.parameters.size(); ++i) {
    const double root = std::sqrt(static_cast<double>(group.parameters[i].numel()));
    const Tensor rate = (norms[i] / root).clamp_min_(kSmallestRms).mul_(lr);
    Group one{.parameters = {group.parameters[i]},
              .gradients = {group.gradients[i]},
              .means = {group.means[i]},
              .squares = {group.squares[i]},
              .steps = {group.steps[i]}};
    apply(one, rate, weight_decay, scale, update);
  }
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
