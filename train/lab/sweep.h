// Several runs of one configuration: each cell of a small grid with several seeds, and what came of them.
//
//   OUT/seed-1, OUT/seed-2 ...                    without a grid
//   OUT/optimizer.lr=1e-5/seed-1 ...              with one; a folder for each cell
//
// Each is an ordinary run: it can be resumed, evaluated and reported alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "metrics/task.h"
#include "train/config/run_config.h"

namespace lmzoo {

struct GridAxis {
  std::string key;
  std::vector<std::string> values;  // YAML
};
// "KEY=V1,V2,...": commas within brackets belong to a value.
GridAxis parse_axis(const std::string& argument);
// "1,2,3" or "1-5".
std::vector<int64_t> parse_seeds(const std::string& argument);

struct SweepCell {
  std::string name;  // "optimizer.lr=1e-5, train.steps=10"; empty: the only one
  std::vector<Override> overrides;
};
// All combinations; the last axis turns fastest. At most 1000. InputError when two axes, or an axis and one
// of the overrides `set` for all cells, have one key, or when one is `seed`.
std::vector<SweepCell> sweep_cells(const std::vector<GridAxis>& axes, const std::vector<Override>& set);

struct PlannedRun {
  size_t cell = 0;
  int64_t seed = 0;
  std::string folder;
};
// Cell by cell, seed by seed. InputError when two would share a folder.
std::vector<PlannedRun> planned_runs(const std::vector<SweepCell>& cells,
                                     const std::vector<int64_t>& seeds,
                                     const std::string& out);

// Whether nothing is left to train of a run of this configuration: its last step is done, or it stopped
// early.
bool is_finished(const std::string& run, const RunConfig& config);

// The evaluation that belongs to the best checkpoint (the last one if none is marked), without counts.
struct MeasuredRun {
  int64_t step = 0;
  NamedNumbers metrics;
};
MeasuredRun measured_run(const std::string& run);

struct SweepOutcome {
  std::vector<SweepCell> cells;
  std::vector<PlannedRun> runs;
  std::vector<std::optional<MeasuredRun>> measured;  // of each run; absent: it failed
};

// One metric over the seeds of a cell. Numbers that are not finite take no part.
struct SeedSpread {
  std::string metric;
  int64_t count = 0;
  double mean = 0;
  double deviation = 0;  // of the sample (divided by count - 1); NaN for one
  double low = 0, high = 0;
};
std::vector<SeedSpread> spreads(const std::vector<MeasuredRun>& runs);

}  // namespace lmzoo
