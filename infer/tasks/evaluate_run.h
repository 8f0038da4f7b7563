// A finished run on a text: its own, or another of the same format.
#pragma once

#include <string>
#include <vector>

#include "train/loop/evaluate.h"
#include "train/run/assemble.h"

namespace lmzoo {

// Which text: files in the format of the run's data, or one of its splits.
struct EvaluationText {
  std::string split{};  // train, valid or test; empty: valid, with files test (if the run has one)
  std::vector<std::string> files{};  // empty: the split's own
  std::string cache{};  // folder for the encoded text; empty: the usual one. A run tells none: it may be
                        // somebody else's
};

struct EvaluationData {
  Windows windows;
  EvalSet set;
  TextNotes notes;
};
EvaluationData evaluation_data(const LoadedRun& run, const EvaluationText& text);

// Gives the run another objective, with its default options; one with weights of its own is an InputError.
// The run's own name changes nothing.
void set_objective(LoadedRun& run, const std::string& objective, const Registry& registry);

// One pass with the settings of the run. A text-to-text run also writes its targets, which are then its
// predictions. Interrupted when a stop signal comes.
EvalResult evaluate_run(LoadedRun& run, const EvaluationData& data, EvalSettings settings);

}  // namespace lmzoo
