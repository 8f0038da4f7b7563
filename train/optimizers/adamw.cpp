// AdamW (Loshchilov & Hutter 2019) by LibTorch's fused kernel, over whole groups at once: parameters of two
// or more dimensions decay, vectors (biases, gains of norms) do not. Parameters may learn at multiples of the
// rate (layer-wise decay); each multiple is a group more. Division, clipping and skipping are folded into the
// one pass of the kernel through its grad_scale and found_inf.
#include <algorithm>
#include <cmath>
#include <compare>
#include <map>

#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include "base/check.h"
#include "core/registry.h"
#include "train/optimizers/parts/gradients.h"

namespace lmzoo {
namespace {

constexpr double kSmallestRms = 1e-3;  // Adafactor's epsilon_2: zeros must be able to move

struct AdamwOptions {
  double weight_decay = 0.01;  // of matrices, times the learning rate
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  // Every tensor's learning rate is the schedule's times max(1e-3, root mean square of the tensor), as
  // Adafactor scales its updates (Shazeer & Stern 2018, section 8). For weights whose sizes differ by orders,
  // as T5's do.
  bool scale_by_rms = false;

  static constexpr void fields(auto& self, auto& visit) {
    visit(
        "weight_decay", self.weight_decay, "decay of matrices (biases and norms do not decay)", at_least(0));
    visit("beta1", self.beta1, "memory of the mean gradient", half_open(0, 1));
    visit("beta2", self.beta2, "memory of the squared gradient", half_open(0, 1));
    visit("eps", self.eps, "added to the root of the squared gradient", more_than(0));
    visit(
        "scale_by_rms", self.scale_by_rms, "learning rate relative to each tensor's size: for T5's weights");
  }
};

class Adamw final : public Optimizer {
 public:
  Adamw(const AdamwOptions& options, OptimizerContext context);

  Update step(double lr, double count, const Tensor& loss) override;
  void clear_gradients() override;
  NamedTensors state() const override;  // ".exp_avg", ".exp_avg_sq", ".step" of each parameter

 private:
  struct Group {
    std::vector<Tensor> parameters, gradients, means, squares, steps;
  };
  // Parameters that the kernel treats alike.
  struct Kind {
    bool decays = false;
    double rate = 1;
    auto operator<=>(const Kind&) const = default;
  };
  std::map<Kind, Group> gather() const;
  // One call of the fused kernel; `lr` is a double, or a Tensor ([] float32) that nothing waits for.
  template <typename Rate>
  void apply(Group& group, const Rate& lr, double weight_decay, const Judgment& judgment);
  void apply_scaled(Group& group, double lr, double weight_decay, const Judgment& judgment);

  AdamwOptions options_;
  OptimizerContext context_;
  // Moments and updates so far ([] float32) of each parameter.
  std::vector<Tensor> means_, squares_, steps_;
};

Adamw::Adamw(const AdamwOptions& options, OptimizerContext context)
    : options_(options), context_(std::move(context)) {
  context_.rates.resize(context_.parameters.size(), 1);
  const at::NoGradGuard no_grad;
  for (const NamedTensor& entry : context_.parameters) {
    means_.push_back(at::zeros_like(entry.tensor));
    squares_.push_back(at::zeros_like(entry.tensor));
    steps_.push_back(at::zeros({}, at::TensorOptions(entry.tensor.device()).dtype(at::kFloat)));
  }
}

void Adamw::clear_gradients() {
  for (NamedTensor& entry : context_.parameters) {
    entry.tensor.mutable_grad() = Tensor();
  }
}

std::map<Adamw::Kind, Adamw::Group> Adamw::gather() const {
  std::map<Kind, Group> groups;
  for (size_t i = 0; i < context_.parameters.size(); ++i) {
    const Tensor& parameter = context_.parameters[i].tensor;
    if (!parameter.grad().defined()) {
      continue;
    }
    Group& group = groups[{.decays = parameter.dim() >= 2, .rate = context_.rates[i]}];
    group.parameters.push_back(parameter);
    group.gradients.push_back(parameter.grad());
    group.means.push_back(means_[i]);
    group.squares.push_back(squares_[i]);
    group.steps.push_back(steps_[i]);
  }
  return groups;
}

Optimizer::Update Adamw::step(double lr, double count, const Tensor& loss) {
  const at::NoGradGuard no_grad;
  std::map<Kind, Group> groups = gather();
  std::vector<Tensor> gradients;
  for (const auto& [kind, group] : groups) {
    gradients.insert(gradients.end(), group.gradients.begin(), group.gradients.end());
  }
  const Judgment judgment = judge(gradients, count, loss, context_.clip_norm);
  const Tensor took_place = 1 - judgment.update.skipped;
  for (auto& [kind, group] : groups) {
    // The kernel corrects the moments' bias by the count of this update, so it is counted first; a skipped
    // one is not.
    at::_foreach_add_(group.steps, took_place);
    const double decay = kind.decays ? options_.weight_decay : 0;
    if (options_.scale_by_rms) {
      apply_scaled(group, lr * kind.rate, decay, judgment);
    } else {
      apply(group, lr * kind.rate, decay, judgment);
    }
  }
  clear_gradients();
  return judgment.update;
}

template <typename Rate>
void Adamw::apply(Group& group, const Rate& lr, double weight_decay, const Judgment& judgment) {
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
                    judgment.divisor,
                    judgment.update.skipped);
}

// The kernel takes one learning rate a call, so here every tensor is a call of its own.
void Adamw::apply_scaled(Group& group, double lr, double weight_decay, const Judgment& judgment) {
  const std::vector<Tensor> norms = at::_foreach_norm(group.parameters);
  for (size_t i = 0; i < group.parameters.size(); ++i) {
    const double root = std::sqrt(static_cast<double>(group.parameters[i].numel()));
    const Tensor rate = (norms[i] / root).clamp_min_(kSmallestRms).mul_(lr);
    Group one{.parameters = {group.parameters[i]},
              .gradients = {group.gradients[i]},
              .means = {group.means[i]},
              .squares = {group.squares[i]},
              .steps = {group.steps[i]}};
    apply(one, rate, weight_decay, judgment);
  }
}

NamedTensors Adamw::state() const {
  NamedTensors all;
  for (size_t i = 0; i < context_.parameters.size(); ++i) {
    const std::string& name = context_.parameters[i].name;
    all.push_back({name + ".exp_avg", means_[i]});
    all.push_back({name + ".exp_avg_sq", squares_[i]});
    all.push_back({name + ".step", steps_[i]});
  }
  return all;
}

}  // namespace

void register_adamw(Registry& registry) {
  registry.add(OptimizerRule{
      .name = "adamw",
      .summary = "Adam with decoupled weight decay (Loshchilov & Hutter 2019)",
      .defaults = AnyOptions(AdamwOptions{}),
      .make = [](const AnyOptions& options, OptimizerContext context) -> std::unique_ptr<Optimizer> {
        return std::make_unique<Adamw>(options.as<AdamwOptions>(), std::move(context));
      }});
}

}  // namespace lmzoo
