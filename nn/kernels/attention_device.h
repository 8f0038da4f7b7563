// Attention on an accelerator by LibTorch's own kernels.
#pragma once

#include "nn/kernels/attention_stored.h"

namespace lmzoo {

// Sequences of one length go to scaled_dot_product_attention as they are; ragged ones in half precision
// without bias to the variable-length flash kernel; all others are padded.
Tensor attention_on_device(const AttentionInputs& inputs);

// attention_over_stored there: the stored keys are read as they lie, masked behind each sequence's last.
Tensor attention_over_stored_on_device(const Tensor& q,
                                       const Sequences& queries,
                                       const StoredKeys& stored,
                                       const AttentionRule& rule);

}  // namespace lmzoo
