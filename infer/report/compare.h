// Is one run better than another on the same examples, or was it luck?
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "infer/tasks/evaluate_run.h"
#include "io/json.h"
#include "metrics/bootstrap.h"

namespace lmzoo {

struct ComparedMetric {
  std::string name;
  PairedBootstrap bootstrap;
  double p_randomization = 1;
};

struct Comparison {
  std::string a, b;  // checkpoints
  int64_t examples = 0;
  std::vector<ComparedMetric> metrics;
};

struct ComparisonRequest {
  EvaluationText text;
  std::vector<std::string> metrics{};  // empty: the usual ones of the task
  TestOptions test{};
};
// Both predict the text of the request, each in the format of its own data. InputError when they know other
// classes or predict nothing that could be compared. Interrupted when a stop signal comes.
Comparison compare_runs(LoadedRun& a, LoadedRun& b, const ComparisonRequest& request);

Json to_json(const Comparison& comparison);
std::string to_text(const Comparison& comparison);

}  // namespace lmzoo
