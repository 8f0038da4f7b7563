// What a run's folder holds beside checkpoints and metrics:
//
//   config.yaml    resolved, complete, re-runnable
//   tokenizer/     everything needed to encode again
//   classes.json   names of the labels in the order of their indexes; only with labeled data
#pragma once

#include <string>
#include <vector>

#include "tokenizer/tokenizer.h"
#include "train/config/run_config.h"

namespace lmzoo {

std::string config_file(const std::string& run);       // RUN/config.yaml
std::string tokenizer_folder(const std::string& run);  // RUN/tokenizer

// Whether `folder` holds a run already, begun or finished.
bool is_run(const std::string& folder);

// The run that a RUN argument means: itself, or the one two folders above a checkpoint. InputError when it is
// neither.
std::string run_of(const std::string& path);

// Before anything is computed: refuses a folder that cannot be made or written, one that holds a run when
// `resume` is not set, and a run of another configuration when it is. Leaves nothing behind.
void check_run_folder(const std::string& run, const RunConfig& config, bool resume);

// Writes the files above that are not there yet; config.yaml last, for it makes a folder a run.
void write_run_folder(const std::string& run,
                      const RunConfig& config,
                      const Tokenizer& tokenizer,
                      const std::vector<std::string>& classes);

std::vector<std::string> read_classes(const std::string& run);

}  // namespace lmzoo
