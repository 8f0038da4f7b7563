// Low-rank adaptation (LoRA: Hu et al. 2021, "LoRA: low-rank adaptation of large language models"): a linear
// map whose weight W stays as it is gets a trained addition of rank r,
//
//   y = x Wᵀ + scale · (dropout(x) Aᵀ) Bᵀ
//
// A begins uniform in ±1/√I, which is kaiming_uniform with a = √5, and B zero, both as the PEFT library: at
// first nothing changes. An addition reaches all rows of W or one of its named parts: of a merged projection
// the queries alone, say. It is merged by W += scale · B A.
//
// Legend: I inputs, O' rows of W that it reaches, r rank.
#pragma once

#include <cstdint>

#include "core/batch.h"
#include "core/module.h"

namespace lmzoo {

struct LowRankShape {
  int64_t inputs = 0;  // I
  int64_t first = 0;   // the first row of W that it reaches
  int64_t rows = 0;    // O'
};

struct LowRankOptions {
  int64_t rank = 8;
  double scale = 1;
  double dropout = 0;  // of what A reads
};

class LowRank : public Module {
 public:
  // Draws A from LibTorch's generator.
  LowRank(const LowRankShape& shape, const LowRankOptions& options);

  Tensor product() const;  // scale · B A: [O', I], what merging adds to the rows

  const LowRankShape shape;
  const LowRankOptions options;
  Tensor a;  // [r, I]
  Tensor b;  // [O', r]
};

}  // namespace lmzoo
