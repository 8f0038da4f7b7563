#include "train/lab/sweep.h"

#include <cstdio>

#include "base/check.h"
#include "cli/config_flags.h"
#include "cli/train.h"
#include "infer/report/sweep.h"
#include "io/files.h"
#include "train/loop/stop_signal.h"
#include "train/run/assemble.h"
#include "train/run/run_folder.h"

namespace lmzoo {
namespace {

struct Sweep {
  std::string config;
  std::vector<Override> set;
  SweepOutcome outcome;
};

LoadedConfig config_of(const Sweep& sweep, const PlannedRun& run, const Registry& registry) {
  std::vector<Override> overrides = sweep.set;
  const std::vector<Override>& of_cell = sweep.outcome.cells[run.cell].overrides;
  overrides.insert(overrides.end(), of_cell.begin(), of_cell.end());
  overrides.push_back({.key = "seed", .value = std::to_string(run.seed)});
  return read_run_config(sweep.config, overrides, registry);
}

Sweep planned(const Flags& flags) {
  Sweep sweep{.config = flags.text("CONFIG"), .set = {}, .outcome = {}};
  for (const std::string& argument : flags.all("set")) {
    sweep.set.push_back(parse_override(argument));
  }
  std::vector<GridAxis> axes;
  for (const std::string& argument : flags.all("grid")) {
    axes.push_back(parse_axis(argument));
  }
  sweep.outcome.cells = sweep_cells(axes, sweep.set);
  sweep.outcome.runs =
      planned_runs(sweep.outcome.cells, parse_seeds(flags.text("seeds", "1,2,3")), flags.text("out"));
  return sweep;
}

// Everything that can be wrong in any run's configuration shows before the first one begins. Returns which
// runs are finished already.
std::vector<bool> check_all(const Sweep& sweep, const Registry& registry) {
  std::vector<bool> finished;
  for (const PlannedRun& run : sweep.outcome.runs) {
    const LoadedConfig loaded = config_of(sweep, run, registry);
    check(loaded.config.data.valid.has_value(),
          "{}: a sweep needs data.valid to compare its runs on",
          sweep.config);
    check_run_folder(run.folder, loaded.config, true);
    finished.push_back(is_finished(run.folder, loaded.config));
  }
  return finished;
}

// Empty when the run failed on its own, as by a learning rate that is too high. What is wrong before the run
// has a folder would be wrong in the others, too, and is thrown.
std::optional<TrainResult> trained(const Sweep& sweep, const PlannedRun& run, const Registry& registry) {
  try {
    return train_run(config_of(sweep, run, registry), registry, run.folder, true);
  } catch (const InputError& error) {
    if (!is_run(run.folder)) {
      throw;
    }
    std::fprintf(stderr, "%s failed: %s\n", run.folder.c_str(), error.what());
    return std::nullopt;
  }
}

// Fills `measured`; returns the signal that ended it, or 0.
int train_all(Sweep& sweep, const Registry& registry, const std::vector<bool>& finished) {
  SweepOutcome& outcome = sweep.outcome;
  for (size_t i = 0; i < outcome.runs.size(); ++i) {
    const PlannedRun& run = outcome.runs[i];
    std::fprintf(stderr,
                 "run %zu of %zu: %s%s\n",
                 i + 1,
                 outcome.runs.size(),
                 run.folder.c_str(),
                 finished[i] ? " is finished" : "");
    const auto result = finished[i] ? TrainResult{} : trained(sweep, run, registry);
    if (result && result->reason == StopReason::signal) {
      std::fprintf(stderr, "stopped by signal %d; the same command goes on\n", result->signal);
      return result->signal;
    }
    outcome.measured.push_back(result ? std::optional(measured_run(run.folder)) : std::nullopt);
  }
  return 0;
}

}  // namespace

int run_sweep(const Command& self, const Strings& arguments) {
  Flags flags(self);
  add_config_flags(flags);
  flags.value("seeds", "LIST", "1,2,3 or 1-5; default 1,2,3");
  flags.repeated(
      "grid", "KEY=V1,V2", "values of a key, each with every seed; several keys: all combinations");
  flags.value("out", "DIR", "the folder of the runs; a sweep that is there goes on");
  flags.toggle("json", "print JSON");
  if (!flags.parse(arguments)) {
    return 0;
  }
  check(!flags.text("out").empty(), "lmzoo sweep: --out DIR is missing; see lmzoo sweep --help");
  const StopSignal signals;
  const Registry registry = make_registry();
  Sweep sweep = planned(flags);
  const std::vector<bool> finished = check_all(sweep, registry);
  if (const int signal = train_all(sweep, registry, finished); signal != 0) {
    return 128 + signal;
  }
  const std::string out = flags.text("out");
  const Json json = to_json(sweep.outcome);
  write_atomically(out + "/sweep.json", json.dump(2) + "\n");
  write_atomically(out + "/report.html", sweep_page(out, sweep.outcome));
  flags.has("json") ? print(json)
                    : print(plain_table(run_table(sweep.outcome)) + "\n" +
                            plain_table(cell_table(sweep.outcome)) + "\n" + out + "/report.html\n");
  const auto failed = std::count(sweep.outcome.measured.begin(), sweep.outcome.measured.end(), std::nullopt);
  check(failed == 0, "{} of {} runs failed; why stands above", failed, sweep.outcome.runs.size());
  return 0;
}

}  // namespace lmzoo
