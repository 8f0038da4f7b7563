// What every implementation of attention asks of its inputs.
#pragma once

#include <cstdint>

#include "nn/kernels/attention.h"
#include "nn/kernels/attention_kernel.h"

namespace lmzoo {

// Throws std::logic_error, naming sizes, when the inputs do not fit together.
void check_attention(const AttentionInputs& inputs);

double attention_scale(const AttentionInputs& inputs);

// How many positions before and after its own a query sees at most: kNoWindow without a window.
struct Reach {
  int64_t behind = 0, ahead = 0;
};
Reach reach_of(const AttentionRule& rule);

// The keys [first, end) that are visible to the query at `position` (in the coordinates of the keys): every
// mask shows one run of them, perhaps an empty one.
struct KeyRange {
  int64_t first = 0, end = 0;
};
KeyRange visible_keys(const AttentionRule& rule, int64_t sequence, int64_t position, int64_t keys);

}  // namespace lmzoo
