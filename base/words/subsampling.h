// Frequent words are read less often than they occur: each occurrence is kept with a probability that falls
// with the word's share f of all words.
//
//   word2vec   (√(f/s) + 1) · s/f     as word2vec.c and gensim compute it
//   paper      √(s/f)                 as Mikolov et al. 2013 write it; at f = s both are about one
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fields.h"

namespace lmzoo {

enum class SampleFormula { word2vec, paper };
template <>
struct EnumNames<SampleFormula> {
  static constexpr std::pair<SampleFormula, std::string_view> values[] = {
      {SampleFormula::word2vec, "word2vec"}, {SampleFormula::paper, "paper"}};
};

// Probability of keeping a word of `count` among `total`; 1 when `sample` (s) is 0.
double keep_probability(int64_t count, int64_t total, double sample, SampleFormula formula);

// The same of each word as a bound on 32 uniform bits: kept when bits <= bound.
std::vector<uint32_t> keep_bounds(std::span<const int64_t> counts, double sample, SampleFormula formula);

}  // namespace lmzoo
