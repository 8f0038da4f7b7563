// What `lmzoo eval` and `lmzoo compare` share: a run and the data to evaluate it on, by flags.
#pragma once

#include <string>

#include "cli/flags.h"
#include "train/loop/evaluate.h"
#include "train/run/assemble.h"

namespace lmzoo {

void add_evaluation_flags(Flags& flags);  // --split, --data, --device, --threads

// The data that the flags choose, of the run's or in the format of the run's.
struct ChosenData {
  Windows windows;
  EvalSet set;
};
ChosenData chosen_data(const Flags& flags, const LoadedRun& run);

// One pass with the settings of the run. A text-to-text run also writes its targets, which are then its
// predictions. Interrupted when a stop signal comes.
EvalResult evaluate_run(LoadedRun& run, const ChosenData& data, EvalSettings settings);

// A number as JSON; counts are whole.
Json to_json(const NamedNumbers& numbers);

}  // namespace lmzoo
