// Trains the runs of a sweep, one after the other.
#pragma once

#include <string>
#include <vector>

#include "core/registry.h"
#include "train/lab/sweep.h"

namespace lmzoo {

struct SweepRequest {
  std::string config;         // a YAML
  std::vector<Override> set;  // for all runs
  std::vector<GridAxis> axes;
  std::vector<int64_t> seeds;
  std::string out;  // the folder of the runs
};

struct SweepResult {
  SweepOutcome outcome;
  int signal = 0;  // the one that ended it before all runs were done; the same request goes on
};

// Everything that can be wrong in any run's configuration shows before the first one begins. Finished runs
// are not trained again; one that fails on its own, as by a learning rate that is too high, is told and left
// out. Progress goes to standard error.
SweepResult run_sweep(const SweepRequest& request, const Registry& registry);

}  // namespace lmzoo
