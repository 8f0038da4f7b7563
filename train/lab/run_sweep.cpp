#include "train/lab/run_sweep.h"

#include <algorithm>
#include <cstdio>
#include <optional>

#include "base/check.h"
#include "base/visible.h"
#include "train/run/run_folder.h"
#include "train/run/train_run.h"

namespace lmzoo {
namespace {

// A document with arms is swept over all of them, unless it is told which.
std::vector<GridAxis> axes_of(const SweepRequest& request, const Registry& registry) {
  std::vector<GridAxis> axes = request.axes;
  const bool told =
      std::ranges::any_of(axes, [](const GridAxis& axis) { return axis.key == "arm"; }) ||
      std::ranges::any_of(request.set, [](const Override& override) { return override.key == "arm"; });
  const std::vector<std::string> arms = read_run_config(request.config, request.set, registry).arms;
  if (!told && !arms.empty()) {
    axes.insert(axes.begin(), {.key = "arm", .values = arms});
  }
  return axes;
}

class Sweep {
 public:
  Sweep(const SweepRequest& request, const Registry& registry) : request_(request), registry_(registry) {
    outcome_.cells = sweep_cells(axes_of(request, registry), request.set);
    outcome_.runs = planned_runs(outcome_.cells, request.seeds, request.out);
    for (const PlannedRun& run : outcome_.runs) {
      finished_.push_back(check_run(run));
    }
  }

  SweepResult go() {
    for (size_t i = 0; i < outcome_.runs.size(); ++i) {
      const PlannedRun& run = outcome_.runs[i];
      std::fprintf(stderr,
                   "run %zu of %zu: %s%s\n",
                   i + 1,
                   outcome_.runs.size(),
                   visible(run.folder).c_str(),
                   finished_[i] ? " is finished" : "");
      const auto result = finished_[i] ? TrainResult{} : trained(run);
      if (result && result->reason == StopReason::signal) {
        std::fprintf(stderr, "stopped by signal %d; the same command goes on\n", result->signal);
        return {.outcome = std::move(outcome_), .signal = result->signal};
      }
      outcome_.measured.push_back(result ? std::optional(measured_run(run.folder)) : std::nullopt);
    }
    return {.outcome = std::move(outcome_)};
  }

 private:
  LoadedConfig config_of(const PlannedRun& run) const {
    std::vector<Override> overrides = request_.set;
    const std::vector<Override>& of_cell = outcome_.cells[run.cell].overrides;
    overrides.insert(overrides.end(), of_cell.begin(), of_cell.end());
    overrides.push_back({.key = "seed", .value = std::to_string(run.seed)});
    return read_run_config(request_.config, overrides, registry_);
  }

  // Whether it is finished already.
  bool check_run(const PlannedRun& run) const {
    const LoadedConfig loaded = config_of(run);
    check(loaded.config.data.valid.has_value(),
          "{}: a sweep needs data.valid to compare its runs on",
          request_.config);
    check_run_folder(run.folder, loaded.config, true);
    choose_device_of(loaded);  // a later run's GPU, too, before the first run computes
    return is_finished(run.folder, loaded.config);
  }

  // Empty when the run failed on its own. What is wrong before the run has a folder would be wrong in the
  // others, too, and is thrown.
  std::optional<TrainResult> trained(const PlannedRun& run) const {
    try {
      return train_run(config_of(run), registry_, run.folder, {.resume = true});
    } catch (const InputError& error) {
      if (!is_run(run.folder)) {
        throw;
      }
      std::fprintf(stderr, "%s\n", message_line(run.folder + " failed: " + error.what()).c_str());
      return std::nullopt;
    }
  }

  const SweepRequest& request_;
  const Registry& registry_;
  SweepOutcome outcome_;
  std::vector<bool> finished_;
};

}  // namespace

SweepResult run_sweep(const SweepRequest& request, const Registry& registry) {
  return Sweep(request, registry).go();
}

}  // namespace lmzoo
