// A linear map, y = x Wᵀ + b. Weights are uninitialized: each model sets all of its own in one function
// (models/init.h).
//
// Legend: R rows, I inputs, O outputs.
#pragma once

#include <cstdint>

#include <torch/nn/module.h>

#include "core/batch.h"

namespace lmzoo {

// What a sublayer adds to the residual stream. Its last bias stands apart: adding it, dropout, the sum and
// the next norm are one pass (models/kernels/elementwise.h).
struct Branch {
  Tensor x;     // [R, O]
  Tensor bias;  // [O] or undefined
};

struct LinearOptions {
  int64_t inputs = 0;
  int64_t outputs = 0;
  bool bias = true;
};

class Linear : public torch::nn::Module {
 public:
  explicit Linear(const LinearOptions& options);

  Tensor forward(const Tensor& x) const;  // [R, I] -> [R, O]
  Branch branch(const Tensor& x) const;   // W x and the bias apart

  Tensor weight;  // [O, I]
  Tensor bias;    // [O] or undefined
};

}  // namespace lmzoo
