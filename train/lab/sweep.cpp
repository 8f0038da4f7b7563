#include "train/lab/sweep.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <limits>
#include <map>
#include <numeric>
#include <optional>
#include <set>

#include "base/check.h"
#include "base/utf8.h"
#include "io/json.h"
#include "train/saved/checkpoint.h"
#include "train/saved/metrics_rows.h"
#include "train/saved/run_files.h"

namespace lmzoo {
namespace {

constexpr size_t kMostRuns = 1000;

// At commas outside of brackets.
std::vector<std::string> split_values(const std::string& text) {
  std::vector<std::string> values(1);
  int depth = 0;
  for (const char c : text) {
    depth += c == '[' || c == '{' ? 1 : c == ']' || c == '}' ? -1 : 0;
    if (c == ',' && depth == 0) {
      values.emplace_back();
    } else {
      values.back() += c;
    }
  }
  return values;
}

int64_t parsed_seed(const std::string& text, const std::string& argument) {
  int64_t seed = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), seed);
  check(error == std::errc{} && stop == text.data() + text.size() && seed >= 0,
        "--seeds is '{}'; legal: whole numbers as in 1,2,3, or a range as in 1-5",
        printable(argument));
  return seed;
}

// A cell's name as a folder's.
std::string folder_name(const std::string& name) {
  constexpr std::string_view kLegal = "._=+-,";
  std::string folder;
  for (const char c : name) {
    const bool legal =
        std::isalnum(static_cast<unsigned char>(c)) != 0 || kLegal.find(c) != std::string_view::npos;
    folder += legal ? std::string{c} : c == ' ' ? "" : "_";
  }
  check(folder.size() <= 200, "--grid: the cell {} is too long for a folder's name", printable(name));
  return folder;
}

// Those of epochs are told by the run itself; one that does not know them has to go on to see.
int64_t steps_of(const TrainState& state, const TrainOptions& train) {
  if (!train.epochs) {
    return train.steps;
  }
  const auto told = state.identity.find("steps");
  int64_t steps = std::numeric_limits<int64_t>::max();
  if (told != state.identity.end()) {
    std::from_chars(told->second.data(), told->second.data() + told->second.size(), steps);
  }
  return steps;
}

// Rows of evaluations, by step; of a step that was evaluated twice the last.
std::map<int64_t, Json> evaluation_rows(const std::string& run) {
  std::map<int64_t, Json> rows;
  for_each_metrics_row(run + "/metrics.jsonl", [&](MetricsRow& row) {
    if (is_main_evaluation(row)) {
      rows[row.step] = std::move(row.values);
    }
  });
  return rows;
}

SeedSpread spread_of(const std::string& name, const std::vector<double>& values) {
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  SeedSpread spread{.metric = name,
                    .count = std::ssize(values),
                    .mean = kNaN,
                    .deviation = kNaN,
                    .low = kNaN,
                    .high = kNaN};
  if (values.empty()) {
    return spread;
  }
  const auto count = static_cast<double>(values.size());
  spread.mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
  double squares = 0;
  for (const double value : values) {
    squares += (value - spread.mean) * (value - spread.mean);
  }
  spread.deviation = values.size() > 1 ? std::sqrt(squares / (count - 1)) : kNaN;
  spread.low = *std::min_element(values.begin(), values.end());
  spread.high = *std::max_element(values.begin(), values.end());
  return spread;
}

}  // namespace

GridAxis parse_axis(const std::string& argument) {
  const size_t equals = argument.find('=');
  check(equals != std::string::npos && equals > 0 && equals + 1 < argument.size(),
        "--grid is '{}', but must be KEY=V1,V2,... as in optimizer.lr=1e-5,3e-5",
        printable(argument));
  GridAxis axis{.key = argument.substr(0, equals), .values = split_values(argument.substr(equals + 1))};
  std::set<std::string> different;
  for (const std::string& value : axis.values) {
    check(!value.empty(), "--grid {} has an empty value", printable(argument));
    check(different.insert(value).second, "--grid {} has a value twice", printable(argument));
  }
  return axis;
}

std::vector<int64_t> parse_seeds(const std::string& argument) {
  std::vector<int64_t> seeds;
  for (const std::string& part : split_values(argument)) {
    const size_t dash = part.find('-', 1);
    const int64_t first = parsed_seed(part.substr(0, dash), argument);
    const int64_t last = dash == std::string::npos ? first : parsed_seed(part.substr(dash + 1), argument);
    check(first <= last && last - first < static_cast<int64_t>(kMostRuns),
          "--seeds: '{}' is no range of at most {} seeds",
          printable(part),
          kMostRuns);
    for (int64_t seed = first; seed <= last; ++seed) {
      check(std::find(seeds.begin(), seeds.end(), seed) == seeds.end(), "--seeds has {} twice", seed);
      seeds.push_back(seed);
    }
  }
  return seeds;
}

std::vector<SweepCell> sweep_cells(const std::vector<GridAxis>& axes, const std::vector<Override>& set) {
  std::set<std::string> keys;
  for (const Override& override : set) {
    check(override.key != "seed", "--set seed: the seeds of a sweep come from --seeds");
    keys.insert(override.key);
  }
  std::vector<SweepCell> cells(1);
  for (const GridAxis& axis : axes) {
    check(axis.key != "seed", "--grid seed: the seeds of a sweep come from --seeds");
    check(keys.insert(axis.key).second, "--grid: {} is set twice", printable(axis.key));
    check(cells.size() * axis.values.size() <= kMostRuns, "--grid has more than {} cells", kMostRuns);
    std::vector<SweepCell> finer;
    for (const SweepCell& cell : cells) {
      for (const std::string& value : axis.values) {
        SweepCell& made = finer.emplace_back(cell);
        made.name += (made.name.empty() ? "" : ", ") + axis.key + "=" + value;
        made.overrides.push_back({.key = axis.key, .value = value});
      }
    }
    cells = std::move(finer);
  }
  return cells;
}

std::vector<PlannedRun> planned_runs(const std::vector<SweepCell>& cells,
                                     const std::vector<int64_t>& seeds,
                                     const std::string& out) {
  std::vector<PlannedRun> runs;
  std::set<std::string> folders;
  for (size_t i = 0; i < cells.size(); ++i) {
    const std::string folder = out + (cells[i].name.empty() ? "" : "/" + folder_name(cells[i].name));
    check(folders.insert(folder).second, "--grid: two cells would share the folder {}", printable(folder));
    for (const int64_t seed : seeds) {
      runs.push_back({.cell = i, .seed = seed, .folder = fmt::format("{}/seed-{}", folder, seed)});
    }
  }
  check(runs.size() <= kMostRuns, "a sweep of {} runs is too large; at most {}", runs.size(), kMostRuns);
  return runs;
}

bool is_finished(const std::string& run, const RunConfig& config) {
  const auto state = is_run(run) ? state_of_newest(run) : std::nullopt;
  return state && (state->step >= steps_of(*state, config.train) ||
                   (config.eval.patience > 0 && state->evaluations_since_best >= config.eval.patience));
}

MeasuredRun measured_run(const std::string& run) {
  const std::map<int64_t, Json> rows = evaluation_rows(run);
  check(!rows.empty(), "{}: metrics.jsonl has no evaluation", run);
  const auto best = best_mark(run);
  const auto row = best && rows.contains(best->step) ? rows.find(best->step) : std::prev(rows.end());
  MeasuredRun measured{.step = row->first, .metrics = {}};
  for (const auto& [name, value] : row->second.items()) {
    const bool counts =
        name == "step" || name == "labels" || name == "tokens" || name == "kind" || name == "split";
    if (!counts) {
      measured.metrics.emplace_back(
          name, value.is_number() ? value.get<double>() : std::numeric_limits<double>::quiet_NaN());
    }
  }
  return measured;
}

std::vector<SeedSpread> spreads(const std::vector<MeasuredRun>& runs) {
  std::vector<std::string> names;
  std::map<std::string, std::vector<double>> values;
  for (const MeasuredRun& run : runs) {
    for (const auto& [name, value] : run.metrics) {
      if (!values.contains(name)) {
        names.push_back(name);
      }
      std::vector<double>& list = values[name];
      if (std::isfinite(value)) {
        list.push_back(value);
      }
    }
  }
  std::vector<SeedSpread> made;
  for (const std::string& name : names) {
    made.push_back(spread_of(name, values[name]));
  }
  return made;
}

}  // namespace lmzoo
