// What updates weights. A rule is one file of train/optimizers/; it moves parameters by the gradients that
// backward() left, at a learning rate that the schedule sets.
//
// Gradients of a step are sums over its labels. What must happen to them beside the rule (division by the
// number of labels, clipping, skipping a step that is not finite) belongs into the pass over them that the
// rule makes anyway, and nothing waits for the device: train/optimizers/parts/gradients.h has it as tensors.
#pragma once

#include <cstdint>
#include <vector>

#include "core/parameters.h"

namespace lmzoo {

// What the run tells a rule.
struct OptimizerContext {
  NamedTensors parameters;         // named once each, dense, on one device (core/parameters.h: trainable())
  std::vector<double> rates = {};  // what the learning rate of each is multiplied by; empty: 1
  double clip_norm = 0;  // global gradient norm above which gradients are scaled down to it; 0: never
};

class Optimizer {
 public:
  Optimizer() = default;
  virtual ~Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  // What a step did, still on the device: reading it waits for the device.
  struct Update {
    Tensor grad_norm;  // [] of the mean gradient, before clipping
    Tensor skipped;    // [] 1 when a gradient or `loss` was not finite and nothing changed, else 0
  };

  // One update: gradients divided by `count` (labels of the step, a sum of weights where labels have some),
  // clipped, and skipped as a whole (moments and step counts too) when they or `loss` are not finite.
  // Parameters without a gradient stay as they are. Clears the gradients.
  virtual Update step(double lr, double count, const Tensor& loss) = 0;

  virtual void clear_gradients() = 0;

  // What must be kept for the next step, as "<parameter>.exp_avg": tensors that share memory with the
  // optimizer, so that a checkpoint is read into them.
  virtual NamedTensors state() const = 0;

  // Bytes that it holds beside weights and gradients, for the plan. A rule that needs room while it works
  // adds it.
  virtual int64_t memory_bytes() const { return count_bytes(state()); }
};

}  // namespace lmzoo
