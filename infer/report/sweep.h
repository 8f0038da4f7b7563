// What came of a sweep: for a terminal, for other programs, for a page.
#pragma once

#include <string>

#include "infer/report/report.h"
#include "io/json.h"
#include "train/lab/sweep.h"

namespace lmzoo {

// A row a cell: "0.9125 ± 0.0042" for each metric, mean and deviation over its seeds.
html::Table cell_table(const SweepOutcome& outcome);
// The seeds of each cell as points.
html::Strip sweep_picture(const SweepOutcome& outcome, const std::string& metric);
// A row a run.
html::Table run_table(const SweepOutcome& outcome);
// {"cells": [{"name", "set": {key: value}, "runs": [{"seed", "run", "step", metric: number ...}],
//             "metrics": {metric: {"mean", "deviation", "low", "high", "count"}}}]}
Json to_json(const SweepOutcome& outcome);
// Both tables and the curves of all runs.
std::string sweep_page(const std::string& title, const SweepOutcome& outcome);

}  // namespace lmzoo
