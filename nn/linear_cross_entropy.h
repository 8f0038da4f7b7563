// Cross-entropy of a projection to the vocabulary that never holds the logits of all rows: a chunk of rows at
// a time gives its logits, their loss and their gradient in one go, so the gradients of rows, weight and bias
// are ready when the forward pass ends and the backward pass only scales them.
//
// Legend: K labeled rows, D width, V vocabulary.
#pragma once

#include "core/model.h"
#include "core/tensor.h"

namespace lmzoo {

struct CrossEntropy {
  Tensor sum;      // [] float32 (float64 with float64): over the K rows; 0 when K = 0
  Tensor correct;  // [] int64: rows whose largest logit is their label
};

// labels [K] in [0, V). Smoothing s: the target is (1-s) on the label plus s/V on every class (PyTorch's
// definition). Under autocast products are in its type (logits rounded to it, as the plain operators do),
// softmax and sums in float32; weight gradients are summed over chunks in float32.
CrossEntropy linear_cross_entropy(const Projection& projection,
                                  const Tensor& labels,
                                  double label_smoothing = 0);

// The same by log_softmax over all logits.
CrossEntropy linear_cross_entropy_reference(const Projection& projection,
                                            const Tensor& labels,
                                            double label_smoothing = 0);

}  // namespace lmzoo
