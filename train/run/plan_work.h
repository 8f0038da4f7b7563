// What a step of a planned run computes, and the memory that it needs.
#pragma once

#include "train/run/plan.h"

namespace lmzoo {

// Not owned. The parts have shapes and no memory.
struct PlannedParts {
  const LoadedConfig& loaded;
  const Registry& registry;
  const Parts& parts;
  const PlanOptions& options;
};

// Fills the sizes of a step: tokens, FLOPs, labels, bytes.
void count_work(const PlannedParts& planned, Plan& plan);

}  // namespace lmzoo
