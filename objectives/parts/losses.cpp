#include "objectives/parts/losses.h"

#include <ATen/core/Reduction.h>
#include <ATen/ops/cross_entropy_loss.h>

namespace lmzoo {
namespace {

LossSums with_accuracy(const CrossEntropy& entropy, const Tensor& labels) {
  return {.sum = entropy.sum, .count = labels.size(0), .metrics = {{"correct", entropy.correct}}};
}

}  // namespace

LossSums language_model_loss(Model& model, const Batch& batch) {
  const Tensor rows = model.hidden_at(batch.inputs, batch.wanted());  // [K, D]
  return with_accuracy(linear_cross_entropy(model.project(rows), batch.labels), batch.labels);
}

LossSums class_loss(const Tensor& scores, const Tensor& labels, double label_smoothing) {
  const Tensor exact = scores.scalar_type() == at::kDouble ? scores : scores.to(at::kFloat);
  constexpr int64_t no_ignored_label = -100;
  CrossEntropy entropy;
  entropy.sum = at::cross_entropy_loss(
      exact, labels, /*weight=*/{}, at::Reduction::Sum, no_ignored_label, label_smoothing);
  entropy.correct = exact.detach().argmax(1).eq(labels).sum();
  return with_accuracy(entropy, labels);
}

}  // namespace lmzoo
