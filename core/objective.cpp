#include "core/objective.h"

#include "base/check.h"

namespace lmzoo {

Predictions Objective::predict(Model&, const Batch&) {
  throw InputError(
      "this objective predicts no classes, numbers, tags or answers; it was not trained on such a task");
}

LossSums Objective::loss_and_predictions(Model& model, const Batch& batch, Predictions& predictions) {
  if (predicts()) {
    predictions.append(predict(model, batch));
  }
  return loss(model, batch);
}

}  // namespace lmzoo
