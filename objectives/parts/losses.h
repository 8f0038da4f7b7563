// Losses that several objectives share: sums over labels, with the count of right answers.
//
// Legend: K labeled rows, C classes.
#pragma once

#include "core/model.h"
#include "core/objective.h"
#include "nn/linear_cross_entropy.h"

namespace lmzoo {

// Cross-entropy of the language-model head at the labeled rows only.
LossSums language_model_loss(Model& model, const Batch& batch);

// Cross-entropy of ready scores [K, C], in float32 at least; labels [K] in [0, C). A smoothing of s moves s
// of the target to all classes evenly.
LossSums class_loss(const Tensor& scores, const Tensor& labels, double label_smoothing);

}  // namespace lmzoo
