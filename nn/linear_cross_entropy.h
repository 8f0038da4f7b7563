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
  Tensor sum;      // [] float32 (float64 with float64): over the K rows, each times its weight; 0 when K = 0
  Tensor correct;  // [] rows whose largest logit is their label: int64, or the sum of their weights
};

// What each row is to be.
struct RowLabels {
  RowLabels(Tensor row_ids, Tensor row_weights = {})  // NOLINT: labels alone are labels
      : ids(std::move(row_ids)), weights(std::move(row_weights)) {}

  Tensor ids;      // [K] int64 in [0, V)
  Tensor weights;  // [K] float; undefined: all 1, at no cost
};

// What is added to the loss of a row. Absent terms cost nothing.
struct EntropyTerms {
  EntropyTerms(double smoothing = 0, double z = 0)  // NOLINT: most say no more than their smoothing
      : label_smoothing(smoothing), z_loss(z) {}

  double
      label_smoothing;  // s: the target is (1-s) on the label plus s/V on every class (PyTorch's definition)
  double
      z_loss;  // z: plus z·log²Z of the row, Z the sum of exp(logits), which keeps logits near 0 (Chowdhery et al.,
               // "PaLM", 2022, section 5)
};

// fairseq's smoothing e is (1-e) on the label and e/(V-1) on every other class: PyTorch's with this s.
inline double smoothing_of_fairseq(double e, int64_t classes) {
  return e * static_cast<double>(classes) / static_cast<double>(classes - 1);
}

// Under autocast products are in its type (logits rounded to it, as the plain operators do), softmax and sums in
// float32; weight gradients are summed over chunks in float32.
CrossEntropy linear_cross_entropy(const Projection& projection,
                                  const RowLabels& labels,
                                  const EntropyTerms& terms = {});

// The same by log_softmax over all logits.
CrossEntropy linear_cross_entropy_reference(const Projection& projection,
                                            const RowLabels& labels,
                                            const EntropyTerms& terms = {});

}  // namespace lmzoo
