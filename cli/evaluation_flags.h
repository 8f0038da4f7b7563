// The flags that `lmzoo eval` and `lmzoo compare` share: the text to evaluate on, and where.
#pragma once

#include "cli/flags.h"
#include "infer/tasks/evaluate_run.h"

namespace lmzoo {

inline void add_evaluation_flags(Flags& flags) {
  flags.value("split", "NAME", "train, valid or test of the run's data; default valid");
  flags.repeated("data", "FILE", "other text, in the format of the run's data; may be repeated");
  flags.value(
      "cache", "DIR", "folder for the encoded text; default .cache, whatever the run's data.cache_dir is");
  flags.value("device", "NAME", "auto, cpu, cuda or cuda:N; default: the run's");
  flags.value("threads", "N", "threads of the CPU; default: one for each core");
}

inline EvaluationText evaluation_text_of(const Flags& flags) {
  return {.split = flags.text("split"), .files = flags.all("data"), .cache = flags.text("cache")};
}

}  // namespace lmzoo
