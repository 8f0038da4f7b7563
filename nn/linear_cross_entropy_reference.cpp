#include <ATen/ops/log_softmax.h>

#include "core/tensor.h"
#include "nn/linear_cross_entropy.h"

namespace lmzoo {

CrossEntropy linear_cross_entropy_reference(const Projection& projection,
                                            const Tensor& labels,
                                            double label_smoothing) {
  const Tensor logits = projection.logits();
  const Tensor wide = logits.scalar_type() == at::kDouble ? logits : logits.to(at::kFloat);
  const Tensor log_probabilities = at::log_softmax(wide, -1);  // [K, V]
  const Tensor label_loss = -log_probabilities.gather(1, labels.unsqueeze(1)).sum();
  const Tensor correct = (logits.argmax(-1) == labels).sum();
  if (label_smoothing == 0) {
    return {label_loss, correct};
  }
  const Tensor even_loss = -log_probabilities.mean(-1).sum();
  return {(1 - label_smoothing) * label_loss + label_smoothing * even_loss, correct};
}

}  // namespace lmzoo
