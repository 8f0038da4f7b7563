// Initial weights: models set all of theirs in one function each, with these. Draws come from LibTorch's
// generator.
#pragma once

#include <ATen/core/grad_mode.h>

#include "nn/block.h"
#include "nn/embedding.h"
#include "nn/linear.h"

namespace lmzoo::init {

// N(0, std) for the weight, 0 for the bias.
void normal(Linear& linear, double std);
void normal(Tensor& tensor, double std);
// N(0, std) cut at two of its deviations, as TensorFlow's truncated_normal.
void truncated_normal(Tensor& tensor, double std);
// Gain 1, offset 0, where it has them.
void identity(Norm& norm);

// Every linear map of a block N(0, std), all its norms the identity; the maps that write to the residual stream
// N(0, residual_std).
struct BlockScales {
  double std = 0.02;
  double residual_std = 0.02;
};
void block(Block& block, const BlockScales& scales);

}  // namespace lmzoo::init
