// Work of a training step, counted (reference: F = 6 · weights of matrix products + 12 · layers · width ·
// length · c).
#pragma once

#include "nn/block.h"

namespace lmzoo {

// Multiply-add weights of a stack's linear maps that each position of its input meets, and of their low-rank
// additions; a block counts for every layer that it is. A frozen matrix counts two thirds: its own gradient is not computed. Every position counts, as
// the field counts a model's FLOPs, also those that the last block leaves out (Stack::forward_at).
double matrix_weights(const Stack& stack);

// Scores and mixtures of attention, forward and backward: 12 FLOP for each query, visible key and channel.
// `visible`: mean number of keys that a query sees.
double attention_flops(int64_t layers, int64_t channels, double queries, double visible);

}  // namespace lmzoo
