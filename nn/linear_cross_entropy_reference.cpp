#include <ATen/ops/log_softmax.h>
#include <ATen/ops/logsumexp.h>

#include "core/tensor.h"
#include "nn/linear_cross_entropy.h"

namespace lmzoo {

CrossEntropy linear_cross_entropy_reference(const Projection& projection,
                                            const RowLabels& labels,
                                            const EntropyTerms& terms) {
  const Tensor logits = projection.logits();
  const Tensor wide = logits.scalar_type() == at::kDouble ? logits : logits.to(at::kFloat);
  const Tensor log_probabilities = at::log_softmax(wide, -1);                                  // [K, V]
  const Tensor label_loss = -log_probabilities.gather(1, labels.ids.unsqueeze(1)).squeeze(1);  // [K]
  const Tensor even_loss = -log_probabilities.mean(-1);
  const double smoothing = terms.label_smoothing;
  Tensor each =
      (1 - smoothing) * label_loss + smoothing * even_loss + terms.z_loss * at::logsumexp(wide, -1).square();
  Tensor correct = logits.argmax(-1) == labels.ids;
  if (labels.weights.defined()) {
    each = each * labels.weights;
    correct = correct * labels.weights;
  }
  return {each.sum(), correct.sum()};
}

}  // namespace lmzoo
