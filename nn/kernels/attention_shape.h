// What every implementation of attention asks of its inputs.
#pragma once

#include <cstdint>

#include "nn/kernels/attention.h"

namespace lmzoo {

// Throws std::logic_error, naming sizes, when the inputs do not fit together.
void check_attention(const AttentionInputs& inputs);

double attention_scale(const AttentionInputs& inputs);

// So many first keys are visible to the query at `position` (in the coordinates of the keys): every mask has
// this form.
int64_t visible_keys(const AttentionRule& rule, int64_t sequence, int64_t position, int64_t keys);

}  // namespace lmzoo
