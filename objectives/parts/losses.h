// Losses that several objectives share: sums over labels, with the count of right answers.
//
// Legend: K labeled rows, C classes.
#pragma once

#include "core/model.h"
#include "core/objective.h"
#include "nn/linear_cross_entropy.h"

namespace lmzoo {

// Cross-entropy of the language-model head at the labeled rows of a slot only.
LossTerm language_model_loss(Model& model,
                             const Batch& batch,
                             int64_t slot = 0,
                             const EntropyTerms& terms = {});
// The same of rows that are projected already.
LossTerm language_model_loss(const Projection& logits,
                             const Batch& batch,
                             int64_t slot = 0,
                             const EntropyTerms& terms = {});
// The same where the states of all positions [N, D] are there already, for several slots of one pass.
LossTerm language_model_loss(
    Model& model, const Tensor& states, const Batch& batch, int64_t slot, const EntropyTerms& terms = {});

// Cross-entropy of ready scores [K, C] of slot 0, in float32 at least; labels [K] in [0, C), each times its weight. A
// smoothing of s moves s of the target to all classes evenly.
LossTerm class_loss(const Tensor& scores, const SlotBatch& targets, double label_smoothing);

}  // namespace lmzoo
