// What can be computed of each kind of predictions: a name, and how to make the function of chosen examples
// (task.h). What several metrics of a table share is computed once, when the first of them is made.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "metrics/task.h"

namespace lmzoo {

struct MetricEntry {
  std::string name;
  std::function<ScoreOf()> make;
};
using MetricTable = std::vector<MetricEntry>;

MetricTable metric_table(const ClassPredictions& predictions);
MetricTable metric_table(const LabelPredictions& predictions);
MetricTable metric_table(const NumberPredictions& predictions);
MetricTable metric_table(const TagPredictions& predictions);
MetricTable metric_table(const AnswerPredictions& predictions);
MetricTable metric_table(const TextPredictions& predictions);

}  // namespace lmzoo
