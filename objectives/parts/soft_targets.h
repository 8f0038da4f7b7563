// Learning what another model holds for likely (Hinton et al. 2015, "Distilling the knowledge in a neural network", section
// 2): with student logits s, teacher logits t and temperature T, the loss of a row is
//
//   T² · KL(softmax(t/T) ‖ softmax(s/T)) = T² · Σ_v p_v (log p_v - log q_v),   gradient of s:  T (q - p)
//
// A chunk of rows at a time gives the logits of both, their loss and their gradient in one go, as in
// nn/linear_cross_entropy.h, so two chunks of [k, V] are all that is held.
//
// Legend: K rows, D width, V vocabulary.
#pragma once

#include "core/model.h"

namespace lmzoo {

struct SoftTargets {
  Projection teacher;      // of the same rows, to the same V; no gradient reaches it
  double temperature = 1;  // over 1: more of what the teacher holds for unlikely
  Tensor weights{};        // [K] of the rows; undefined: 1 each
};

// Sum over rows: [] float32 (float64 with float64), with gradients of the student's rows, weight and bias.
Tensor soft_target_loss(const Projection& student, const SoftTargets& targets);

// The same by log_softmax over all logits.
Tensor soft_target_loss_reference(const Projection& student, const SoftTargets& targets);

}  // namespace lmzoo
