#include "base/words/subsampling.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace lmzoo {

double keep_probability(int64_t count, int64_t total, double sample, SampleFormula formula) {
  if (sample <= 0 || count <= 0) {
    return 1;
  }
  const double ratio = static_cast<double>(count) / static_cast<double>(total) / sample;  // f/s
  return std::min(1.0,
                  formula == SampleFormula::paper ? std::sqrt(1 / ratio) : (std::sqrt(ratio) + 1) / ratio);
}

std::vector<uint32_t> keep_bounds(std::span<const int64_t> counts, double sample, SampleFormula formula) {
  constexpr double kMost = 4294967295.0;  // 2³² - 1
  const int64_t total = std::accumulate(counts.begin(), counts.end(), int64_t{0});
  std::vector<uint32_t> bounds;
  bounds.reserve(counts.size());
  for (const int64_t count : counts) {
    bounds.push_back(static_cast<uint32_t>(keep_probability(count, total, sample, formula) * kMost));
  }
  return bounds;
}

}  // namespace lmzoo
