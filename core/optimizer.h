// AdamW (Loshchilov & Hutter 2019) by LibTorch's fused kernel, over whole groups at once: parameters of two
// or more dimensions decay, vectors (biases, gains of norms) do not. Parameters may learn at multiples of the
// rate (layer-wise decay); each multiple is a group more.
//
// Gradients of a step are sums over its labels. What must happen to them (division by the number of labels,
// clipping, skipping a step that is not finite) is folded into the one pass of the kernel through grad_scale
// and found_inf, and nothing waits for the device.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "base/fields.h"
#include "core/parameters.h"

namespace lmzoo {

enum class OptimizerType { adamw, sgd };
template <>
struct EnumNames<OptimizerType> {
  static constexpr std::pair<OptimizerType, std::string_view> values[] = {{OptimizerType::adamw, "adamw"},
                                                                          {OptimizerType::sgd, "sgd"}};
};

struct OptimizerOptions {
  OptimizerType type = OptimizerType::adamw;
  double lr = 1e-3;            // peak; the schedule scales it
  double weight_decay = 0.01;  // of matrices, times the learning rate
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  // Every tensor's learning rate is the schedule's times max(1e-3, root mean square of the tensor), as
  // Adafactor scales its updates (Shazeer & Stern 2018, section 8). For weights whose sizes differ by orders,
  // as T5's do.
  bool scale_by_rms = false;
  double clip_norm = 1;  // global gradient norm above which gradients are scaled down to it; 0: never

  static constexpr void fields(auto& self, auto& visit) {
    visit("type", self.type, "adamw; word vectors: sgd, the only one that they have");
    visit("lr", self.lr, "peak learning rate; a factor for the schedule noam", more_than(0));
    visit(
        "weight_decay", self.weight_decay, "decay of matrices (biases and norms do not decay)", at_least(0));
    visit("beta1", self.beta1, "memory of the mean gradient", half_open(0, 1));
    visit("beta2", self.beta2, "memory of the squared gradient", half_open(0, 1));
    visit("eps", self.eps, "added to the root of the squared gradient", more_than(0));
    visit(
        "scale_by_rms", self.scale_by_rms, "learning rate relative to each tensor's size: for T5's weights");
    visit("clip_norm",
          self.clip_norm,
          "gradients of a larger global norm are scaled down to it; 0: never",
          at_least(0));
  }
  bool operator==(const OptimizerOptions&) const = default;
};

class Optimizer {
 public:
  // `parameters`: named once each, dense, on one device (core/parameters.h: trainable()). `rates`: what the
  // learning rate of each is multiplied by; empty: 1. Parameters of one rate share the calls of the kernel.
  Optimizer(NamedTensors parameters, const OptimizerOptions& options, std::vector<double> rates = {});

  // What a step did, still on the device: reading it waits for the device.
  struct Update {
    Tensor grad_norm;  // [] of the mean gradient, before clipping
    Tensor skipped;    // [] 1 when a gradient or `loss` was not finite and nothing changed, else 0
  };

  // One update from the gradients that backward() left: divided by `count` (labels of the step), clipped, and
  // skipped as a whole (moments and step counts too) when they or `loss` are not finite. Parameters without a
  // gradient stay as they are. Clears the gradients.
  Update step(double lr, double count, const Tensor& loss);

  void clear_gradients();

  // "<parameter>.exp_avg", ".exp_avg_sq", ".step": tensors that share memory with the optimizer, so that a
  // checkpoint is read into them.
  NamedTensors state() const;
  const OptimizerOptions& options() const { return options_; }

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
  void apply(Group& group, const Rate& lr, double weight_decay, const Tensor& scale, const Update& update);
  void apply_scaled(Group& group, double lr, double weight_decay, const Tensor& scale, const Update& update);

  NamedTensors parameters_;
  OptimizerOptions options_;
  std::vector<double> rates_;
  // Moments and updates so far ([] float32) of each parameter.
  std::vector<Tensor> means_, squares_, steps_;
};

// Global 2-norm of float32 tensors, [] on their device, without waiting for it. On the CPU one parallel pass
// with the same bits for any number of threads.
Tensor global_norm(std::span<const Tensor> tensors);

}  // namespace lmzoo
