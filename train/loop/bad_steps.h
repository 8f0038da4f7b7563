// Steps that were skipped one after the other, as their loss or gradient was not finite.
#pragma once

#include <cstdint>
#include <vector>

#include "train/loop/step.h"

namespace lmzoo {

class BadSteps {
 public:
  void add(const StepOutcome& outcome, double loss);
  // The error that ends the run at step `last`, when `count` in a row are more than train.max_skipped allows.
  [[noreturn]] void end_run(int64_t last, int64_t count, int64_t max_skipped) const;

 private:
  bool loss_was_bad_ = false;
  std::vector<uint64_t> samples_;
};

}  // namespace lmzoo
