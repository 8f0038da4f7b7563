#include "objectives/parts/losses.h"

#include <ATen/core/Reduction.h>
#include <ATen/ops/cross_entropy_loss.h>

namespace lmzoo {
namespace {

LossTerm with_accuracy(const CrossEntropy& entropy, int64_t slot) {
  return {.slot = slot, .sum = entropy.sum, .metrics = {{"correct", entropy.correct}}};
}

}  // namespace

LossTerm language_model_loss(const Projection& logits,
                             const Batch& batch,
                             int64_t slot,
                             const EntropyTerms& terms) {
  const SlotBatch& targets = batch.slots.at(static_cast<size_t>(slot));
  return with_accuracy(linear_cross_entropy(logits, {targets.labels, targets.weights}, terms), slot);
}

LossTerm language_model_loss(Model& model, const Batch& batch, int64_t slot, const EntropyTerms& terms) {
  const SlotBatch& targets = batch.slots.at(static_cast<size_t>(slot));
  const Tensor rows = model.hidden_at(batch.inputs, targets.wanted());  // [K, D]
  return language_model_loss(model.project(rows), batch, slot, terms);
}

LossTerm language_model_loss(
    Model& model, const Tensor& states, const Batch& batch, int64_t slot, const EntropyTerms& terms) {
  const Tensor& rows = batch.slots.at(static_cast<size_t>(slot)).rows;
  return language_model_loss(model.project(states.index_select(0, rows)), batch, slot, terms);  // of [K, D]
}

LossTerm class_loss(const Tensor& scores, const SlotBatch& targets, double label_smoothing) {
  const Tensor exact = scores.scalar_type() == at::kDouble ? scores : scores.to(at::kFloat);
  constexpr int64_t no_ignored_label = -100;
  const bool weighted = targets.weights.defined();
  const auto reduction = weighted ? at::Reduction::None : at::Reduction::Sum;
  CrossEntropy entropy;
  entropy.sum = at::cross_entropy_loss(
      exact, targets.labels, /*weight=*/{}, reduction, no_ignored_label, label_smoothing);
  entropy.correct = exact.detach().argmax(1).eq(targets.labels);
  if (weighted) {
    entropy.sum = (entropy.sum * targets.weights).sum();
    entropy.correct = entropy.correct * targets.weights;
  }
  entropy.correct = entropy.correct.sum();
  return with_accuracy(entropy, 0);
}

}  // namespace lmzoo
