// One training step: micro-batches forward and backward, then one update. Nothing in it waits for the device.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/model.h"
#include "core/objective.h"
#include "core/optimizer.h"
#include "train/loop/train_options.h"

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
  int64_t labels = 0;              // of the objective's first slot
  double total = 0;                // of all labels' weights, or 0 without any: what the loss is divided by
  int64_t tokens = 0;              // positions computed
  double flops = 0;                // Model::train_flops of its sequences
  std::vector<uint64_t> samples;   // ids of the windows, for error messages
  std::vector<int64_t> corpora{};  // windows of each text; empty: there is one
  std::vector<int64_t> slot_labels{};  // of each slot
};

struct StepOutcome {
  int64_t step = 0;
  double lr = 0;
  StepWork work = {};
  Tensor values = {};  // [3] on the device: the loss times work.total, gradient norm, 1 if skipped
};

// Dropout of micro-batch i is seeded from (seed, step, i). The loss is the sum of its terms, each the mean over all
// labels of its slot in all micro-batches: each label weighs the same however they are cut.
StepOutcome train_step(const StepParts& parts,
                       const std::vector<Batch>& micro_batches,
                       int64_t step,
                       double lr);

// Rows of a batch that are projected to the vocabulary; what a head of the objective predicts is not.
int64_t projected_rows(const Objective& objective, const Batch& batch);

// FLOPs of a training step over one batch.
double train_flops(const Model& model, const Objective& objective, const Batch& batch);

}  // namespace lmzoo
