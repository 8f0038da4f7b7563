// One training step: micro-batches forward and backward, then one update. Nothing in it waits for the device.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/model.h"
#include "core/objective.h"
#include "train/config/train_options.h"
#include "train/optimizers/optimizer.h"

namespace lmzoo {

// What takes part in every step. Not owned.
struct StepParts {
  Model& model;
  Objective& objective;
  Optimizer& optimizer;
  uint64_t seed = 0;
  Precision precision = Precision::fp32;
  at::Device device = at::kCPU;
};

// Known on the host at once.
struct StepWork {
  int64_t labels = 0;
  int64_t tokens = 0;             // positions computed
  double flops = 0;               // Model::train_flops of its sequences
  std::vector<uint64_t> samples;  // ids of the windows, for error messages
};

struct StepOutcome {
  int64_t step = 0;
  double lr = 0;
  StepWork work = {};
  Tensor values = {};  // [3] on the device: sum of the loss, gradient norm, 1 if skipped
};

// Dropout of micro-batch i is seeded from (seed, step, i). The gradient is the mean over all labels of all
// micro-batches: each label weighs the same however they are cut.
StepOutcome train_step(const StepParts& parts,
                       const std::vector<Batch>& micro_batches,
                       int64_t step,
                       double lr);

// FLOPs of a training step over one batch.
double train_flops(const Model& model, const Objective& objective, const Batch& batch);

}  // namespace lmzoo
