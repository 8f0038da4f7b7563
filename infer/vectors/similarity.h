// How well cosines agree with people's scores of pairs of words.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "infer/vectors/vector_table.h"
#include "infer/vectors/word_tests.h"

namespace lmzoo {

struct SimilarityOptions {
  bool fold_case = true;   // words are looked up in any case; the most frequent form counts
  int64_t candidates = 0;  // words beyond the first so many count as unknown; 0: none does
};

struct SimilarityResult {
  double spearman = 0;  // NaN when fewer than two pairs are known, or all cosines are equal
  double pearson = 0;
  int64_t known = 0;  // pairs whose words both have a vector; only these are measured
  std::vector<std::optional<double>> cosines;  // of every pair
};

SimilarityResult evaluate_similarity(const VectorTable& table,
                                     const std::vector<WordPair>& pairs,
                                     const SimilarityOptions& options);

// The vector of a word as the options find it; undefined: it has none.
Tensor find_vector(const VectorTable& table, const std::string& word, const SimilarityOptions& options);
double cosine(const Tensor& a, const Tensor& b);

}  // namespace lmzoo
