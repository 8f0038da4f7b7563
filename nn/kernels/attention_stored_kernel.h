// The kernel behind attention_stored.h, without LibTorch: compiled once per instruction set.
#pragma once

#include "nn/kernels/attention_kernel.h"

namespace lmzoo {

// Forward of one sequence and one key head with its query heads. `problem` as for AttentionForward, but keys
// and values may lie anywhere and are read in place; `scratch` holds stored_scratch() floats.
using StoredForward = AttentionForward;

struct StoredKernels {
  AttentionScratch scratch;
  StoredForward forward;
};

namespace generic {
StoredKernels stored_kernels();
}
namespace avx2 {
StoredKernels stored_kernels();
}
namespace avx512 {
StoredKernels stored_kernels();
}

}  // namespace lmzoo
