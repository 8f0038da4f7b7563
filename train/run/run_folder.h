// Begins a run's folder, or refuses to. What it holds: train/saved/run_files.h.
#pragma once

#include <string>
#include <vector>

#include "tokenizer/tokenizer.h"
#include "train/config/run_config.h"
#include "train/saved/run_files.h"

namespace lmzoo {

// Before anything is computed: refuses a folder that cannot be made or written, one that holds a run when
// `resume` is not set, and a run of another configuration when it is. Leaves nothing behind.
void check_run_folder(const std::string& run, const RunConfig& config, bool resume);

// Writes the files that are not there yet; config.yaml last, for it makes a folder a run.
void write_run_folder(const std::string& run,
                      const RunConfig& config,
                      const Tokenizer& tokenizer,
                      const std::vector<std::string>& classes);

}  // namespace lmzoo
