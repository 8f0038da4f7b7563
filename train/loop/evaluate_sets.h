// Evaluations of one step, on every set that a run has, and their rows.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "train/loop/evaluate.h"
#include "train/loop/loop.h"
#include "train/loop/metrics.h"
#include "train/saved/train_state.h"

namespace lmzoo {

struct NamedEvaluation {
  std::string set;
  EvalResult result;
};

// Of the main set and, if `further`, of the others; none at all when a stop signal came in the middle.
std::vector<NamedEvaluation> evaluate_all(const TrainJob& job, bool further);

// That the data can be evaluated, and that the names of metrics are legal, is proven on one batch before hours are
// spent on steps: an InputError otherwise.
void try_evaluation(const TrainJob& job);

// Writes their rows, and returns a line of text for each.
std::vector<std::string> log_evaluations(MetricsLog& log, int64_t step, std::span<const NamedEvaluation> all);

// The mark of an evaluation that is better than the best so far; none when it is not, or when its loss is no number: of
// such a model no metric is believed.
std::optional<BestMark> improved(const std::optional<BestMark>& best,
                                 const EvalResult& valid,
                                 const std::string& metric,
                                 int64_t step);

}  // namespace lmzoo
