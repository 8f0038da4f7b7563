// Copies of a checkpoint's tensors straight into parameters: one pass over mapped bytes on all threads, no
// second copy in memory.
#pragma once

#include <span>
#include <string>

#include "core/batch.h"
#include "io/tensor_view.h"

namespace lmzoo {

struct WeightCopy {
  Tensor target;                     // contiguous float32 on the CPU
  const TensorView* view = nullptr;  // of as many elements
  bool transposed = false;           // the view is [I, O] and the target [O, I]
};

bool is_float_type(Dtype dtype);  // one that copies can be of: F32, F64, BF16, F16

void copy_weights(std::span<const WeightCopy> copies);

}  // namespace lmzoo
