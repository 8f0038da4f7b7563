// A linear map, y = x Wᵀ + b, and a table of vectors. Weights are uninitialized: each model sets all of its
// own in one function (models/init.h).
//
// Legend: R rows, I inputs, O outputs, V vocabulary, D width.
#pragma once

#include <cstdint>

#include <torch/nn/module.h>

#include "core/batch.h"

namespace lmzoo {

struct LinearOptions {
  int64_t inputs = 0;
  int64_t outputs = 0;
  bool bias = true;
};

class Linear : public torch::nn::Module {
 public:
  explicit Linear(const LinearOptions& options);

  Tensor forward(const Tensor& x) const;       // [R, I] -> [R, O]
  Tensor without_bias(const Tensor& x) const;  // for callers that add the bias in a fused step

  Tensor weight;  // [O, I]
  Tensor bias;    // [O] or undefined
};

class Embedding : public torch::nn::Module {
 public:
  Embedding(int64_t rows, int64_t width);

  Tensor forward(const Tensor& ids) const;  // [N] -> [N, D]

  Tensor weight;  // [V, D]
};

}  // namespace lmzoo
