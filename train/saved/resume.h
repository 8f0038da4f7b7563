// How a loop begins: afresh, or where the run's newest checkpoint stands.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "train/saved/checkpoint.h"

namespace lmzoo {

struct ResumeRequest {
  const std::string& run;  // folder
  bool resume = false;     // go on from the newest valid checkpoint, if there is one
  const Snapshot& snapshot;
  // What the bits depend on beside the configuration; what is other than the checkpoint says is told.
  const std::map<std::string, std::string>& identity;
  // What is learned from, each a hash of its content: another one is refused unless `other_inputs`.
  const std::map<std::string, std::string>& inputs;
  bool other_inputs = false;
  std::function<void(const std::string& line)> note;
};

// Makes RUN/checkpoints and clears what an interrupted write left there. With a checkpoint: fills the
// snapshot and returns its state, with the inputs of now. InputError when there is one but `resume` is not set, when all
// are damaged, or when the run was begun with other inputs.
std::optional<TrainState> resume_run(const ResumeRequest& request);

}  // namespace lmzoo
