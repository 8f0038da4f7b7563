#include "train/run/milestones.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/check.h"

namespace lmzoo {

std::vector<int64_t> milestones(const LoadedConfig& loaded, const MixedWindows& windows, int64_t steps) {
  const SaveAtOptions& wanted = loaded.config.train.save_at;
  std::vector<int64_t> all;
  const auto add = [&](const std::string& name, const std::vector<double>& amounts, double a_step) {
    loaded.places.locate("train.save_at." + name, [&] {
      for (const double amount : amounts) {
        const double step = std::ceil(amount / a_step);
        check(step <= static_cast<double>(steps),
              "{:g} {} are not reached: the run sees {:g} in its {} steps",
              amount,
              name,
              a_step * static_cast<double>(steps),
              steps);
        all.push_back(static_cast<int64_t>(step));
      }
    });
  };
  const double share = static_cast<double>(loaded.config.train.batch_size) /
                       static_cast<double>(std::max<int64_t>(windows.size(), 1));
  add("steps", wanted.steps, 1);
  add("words", wanted.words, share * windows.epoch_words());
  add("tokens", wanted.tokens, share * windows.epoch_tokens());
  std::ranges::sort(all);
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

}  // namespace lmzoo
