#include "core/objective.h"

#include <algorithm>
#include <stdexcept>

#include "base/check.h"

namespace lmzoo {

Tensor mean_loss(const Losses& losses, const Batch& batch) {
  Tensor loss;
  for (const LossTerm& term : losses) {
    const double total = batch.slots.at(static_cast<size_t>(term.slot)).total;
    if (total > 0) {
      const Tensor mean = term.weight * term.sum / total;
      loss = loss.defined() ? loss + mean : mean;
    }
  }
  if (!loss.defined()) {
    throw std::logic_error("mean_loss: the batch has no label");
  }
  return loss;
}

bool Objective::cuts(const Sample& sample) const {
  auto ids = std::ssize(sample.ids) + std::ssize(sample.target);
  for (const std::vector<int64_t>& text : sample.further_texts) {
    ids += std::ssize(text);
  }
  int64_t longest = 0;
  for (const std::vector<int64_t>& choice : sample.choices) {
    longest = std::max(longest, std::ssize(choice));
  }
  return ids + longest > lengths().raw;
}

Predictions Objective::predict(Model&, const Batch&) {
  throw InputError(
      "this objective predicts no classes, numbers, tags or answers; it was not trained on such a task");
}

Losses Objective::loss_and_predictions(Model& model,
                                       const Batch& batch,
                                       Stream& stream,
                                       Predictions& predictions) {
  if (predicts()) {
    predictions.append(predict(model, batch));
  }
  return loss(model, batch, stream);
}

}  // namespace lmzoo
