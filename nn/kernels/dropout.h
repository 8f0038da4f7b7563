// The LibTorch side of dropout_mask.h: seeds, and masks as tensors for the plain references.
#pragma once

#include <cstdint>

#include "core/tensor.h"
#include "nn/kernels/dropout_mask.h"

namespace lmzoo {

// A mask of probability p in [0, 1) with a seed drawn from LibTorch's CPU generator; draws nothing when p is
// 0.
DropoutMask draw_dropout(double p);

// [rows, columns] float32: 0 where the mask drops, its scale elsewhere.
at::Tensor dropout_factors(const DropoutMask& mask, int64_t rows, int64_t columns);

}  // namespace lmzoo
