// From what an objective predicts (core/predictions.h) to what metrics/ measures.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/predictions.h"
#include "metrics/task.h"

namespace lmzoo {

// `classes` are the names of the run's classes or tags, in the order of their indexes; empty without. Nothing
// when there is no prediction.
std::optional<TaskPredictions> task_predictions(const Predictions& predictions,
                                                const std::vector<std::string>& classes);

}  // namespace lmzoo
