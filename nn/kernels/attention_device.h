// Attention on an accelerator by LibTorch's own kernels.
#pragma once

#include "nn/kernels/attention.h"

namespace lmzoo {

// Sequences of one length go to scaled_dot_product_attention as they are; ragged ones in half precision
// without bias to the variable-length flash kernel; all others are padded.
Tensor attention_on_device(const AttentionInputs& inputs);

}  // namespace lmzoo
