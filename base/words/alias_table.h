// Draws from a fixed discrete distribution in constant time: the alias method (Walker 1977; tables by Vose
// 1991).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace lmzoo {

class AliasTable {
 public:
  // Item i with probability weights[i] / Σ weights; none is negative and the sum is positive.
  explicit AliasTable(std::span<const double> weights);

  // The item that 64 uniform bits choose.
  int32_t draw(uint64_t bits) const {
    const uint64_t item = ((bits >> 32) * entries_.size()) >> 32;
    const Entry& entry = entries_[item];
    return static_cast<uint32_t>(bits) < entry.threshold ? static_cast<int32_t>(item) : entry.alias;
  }
  int64_t size() const { return static_cast<int64_t>(entries_.size()); }

 private:
  struct Entry {
    uint32_t threshold = 0;  // the item itself below it, of 2³²
    int32_t alias = 0;
  };
  std::vector<Entry> entries_;
};

// The distribution of negative words: counts^0.75 (Mikolov et al. 2013).
AliasTable noise_distribution(std::span<const int64_t> counts);

}  // namespace lmzoo
