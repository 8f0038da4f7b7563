// The words nearest to a vector, by cosine.
//
// Legend: Q queries, D width.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/progress.h"
#include "infer/vectors/vector_table.h"

namespace lmzoo {

struct Neighbor {
  int64_t row = 0;
  double cosine = 0;
};

struct NeighborOptions {
  int64_t count = 10;
  int64_t candidates = 0;  // only the first so many words are offered; 0: all
};

// Vectors to find neighbors of, and the rows that are no answer to each.
struct NeighborQueries {
  Tensor vectors;                                // [Q, D]
  std::vector<std::vector<int64_t>> excluded{};  // Q
};

// "owl", or a sum: "king - man + woman", whose terms are added at length 1. The words of the sum themselves
// are excluded. InputError when a word has no vector.
NeighborQueries parse_queries(const VectorTable& table, const std::vector<std::string>& texts);

// For each query the nearest words, nearest first; of equal ones the more frequent first. In blocks: memory
// does not grow with the table.
std::vector<std::vector<Neighbor>> nearest(const VectorTable& table,
                                           const NeighborQueries& queries,
                                           const NeighborOptions& options,
                                           const Progress& progress = {});

// Rows that answers may come from.
int64_t candidate_count(const VectorTable& table, int64_t candidates);

}  // namespace lmzoo
