// Attention of a few new positions over keys and values that stay where they are stored: one step of
// generation. The kernels of attention.h repack every key for the sake of many queries; these read each key
// and value once, in place.
//
// Legend: n sequences, M new positions in all, H query heads, Hk key heads, Dh head width, C room for
//         positions.
#pragma once

#include <span>

#include "nn/kernels/attention.h"

namespace lmzoo {

// Row i belongs to sequence i. Rows of one head are contiguous, so that a step reads memory in one run.
struct StoredKeys {
  Tensor keys, values;                 // [n or more, Hk, C, Dh]
  std::span<const int64_t> lengths{};  // [n] so many positions are there; the last of them are the queries'
};

// q [M, H, Dh] -> [M, H, Dh]. `rule` without dropout; no gradient.
// On a CPU float32 and bfloat16 take the kernel, float64 the reference; elsewhere LibTorch's kernels serve.
Tensor attention_over_stored(const Tensor& q,
                             const Sequences& queries,
                             const StoredKeys& stored,
                             const AttentionRule& rule);

// The same by packing the keys for attention_reference.
Tensor attention_over_stored_reference(const Tensor& q,
                                       const Sequences& queries,
                                       const StoredKeys& stored,
                                       const AttentionRule& rule);

}  // namespace lmzoo
