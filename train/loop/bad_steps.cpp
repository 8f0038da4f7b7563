#include "train/loop/bad_steps.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/check.h"

namespace lmzoo {

void BadSteps::add(const StepOutcome& outcome, double loss) {
  loss_was_bad_ |= !std::isfinite(loss);
  samples_.insert(samples_.end(), outcome.work.samples.begin(), outcome.work.samples.end());
}

void BadSteps::end_run(int64_t last, int64_t count, int64_t max_skipped) const {
  constexpr size_t kShown = 20;
  std::string samples;
  for (size_t i = 0; i < std::min(samples_.size(), kShown); ++i) {
    samples += fmt::format("{}{}", i > 0 ? " " : "", samples_[i]);
  }
  throw InputError(fmt::format(
      "step {}: the {} was not finite in {} steps in a row (from step {}, windows {}{}); train.max_skipped = "
      "{} allows no more. A lower optimizer.lr, a longer warm-up or clip_norm may help",
      last,
      loss_was_bad_ ? "loss" : "gradient",
      count,
      last - count + 1,
      samples,
      samples_.size() > kShown ? " ..." : "",
      max_skipped));
}

}  // namespace lmzoo
