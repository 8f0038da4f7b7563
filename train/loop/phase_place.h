// Where a phase stands in its run (train/config/phases.h).
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace lmzoo {

struct PhasePlace {
  int64_t number = 0;                     // from 0
  std::string name = "";                  // empty: the run has no phases
  int64_t first_step = 0;                 // steps before it; train.steps counts them, too
  int64_t all_steps = 0;                  // of the run; 0: train.steps
  bool own_schedule = false;              // over its own steps, not those of the run
  std::vector<std::string> classes = {};  // names of its labels

  // Of a phase that ends with the step `end`: steps that the schedule spans, and which of them is step `n`.
  int64_t scheduled(int64_t end) const { return own_schedule ? end - first_step : run_steps(end); }
  int64_t schedule_step(int64_t n) const { return n - (own_schedule ? first_step : 0); }
  int64_t run_steps(int64_t end) const { return std::max(end, all_steps); }
};

}  // namespace lmzoo
