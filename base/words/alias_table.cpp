#include "base/words/alias_table.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/check.h"

namespace lmzoo {

AliasTable::AliasTable(std::span<const double> weights) : entries_(weights.size()) {
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  check(sum > 0 && std::isfinite(sum), "a distribution needs weights whose sum is positive and finite");
  constexpr double kWhole = 4294967296.0;  // 2³²
  std::vector<double> share(weights.size());
  std::vector<int32_t> small, large;
  for (size_t i = 0; i < weights.size(); ++i) {
    share[i] = weights[i] / sum * static_cast<double>(weights.size());
    (share[i] < 1 ? small : large).push_back(static_cast<int32_t>(i));
    entries_[i] = {0xFFFFFFFF, static_cast<int32_t>(i)};
  }
  while (!small.empty() && !large.empty()) {
    const auto poor = static_cast<size_t>(small.back());
    const auto rich = static_cast<size_t>(large.back());
    small.pop_back();
    const double whole = std::min(share[poor] * kWhole, kWhole - 1);
    entries_[poor] = {static_cast<uint32_t>(whole), static_cast<int32_t>(rich)};
    share[rich] -= 1 - share[poor];
    if (share[rich] < 1) {
      large.pop_back();
      small.push_back(static_cast<int32_t>(rich));
    }
  }
}

AliasTable noise_distribution(std::span<const int64_t> counts) {
  std::vector<double> weights;
  weights.reserve(counts.size());
  for (const int64_t count : counts) {
    weights.push_back(std::pow(static_cast<double>(count), 0.75));
  }
  return AliasTable(weights);
}

}  // namespace lmzoo
