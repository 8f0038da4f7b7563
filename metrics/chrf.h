// chrF (Popovic 2015) and chrF++ (2017, with words) as sacreBLEU computes them, in percent: F-score of
// character n-grams, precision and recall averaged over the orders that both texts are long enough for.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/classification.h"

namespace lmzoo {

struct ChrfOptions {
  int64_t character_order = 6;
  int64_t word_order = 0;  // 2: chrF++
  double beta = 2;         // recall counts so many times as much as precision
  bool lowercase = false;
};

// A count for each order, characters first. They add over sentences.
using ChrfCounts = std::vector<ClassCounts>;
// Against the reference with the best score; at least one.
ChrfCounts chrf_counts(std::string_view hypothesis,
                       std::span<const std::string> references,
                       const ChrfOptions& options = {});
double chrf_score(const ChrfCounts& counts, const ChrfOptions& options = {});

}  // namespace lmzoo
