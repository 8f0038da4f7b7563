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
  int64_t phase = 0;  // of the run; a checkpoint of the one before is carried over
  std::function<void(const std::string& line)> note;
};

// What a phase begins with: where the run stands, and whether that is the end of the phase before.
struct Resumed {
  TrainState state;
  bool carried = false;
  bool same_text = false;  // carried: it was trained on the same text
};

// Makes RUN/checkpoints and clears what an interrupted write left there. With a checkpoint: fills the
// snapshot and returns its state, with the inputs of now. InputError when there is one but `resume` is not set, when all
// are damaged, or when the run was begun with other inputs.
// Of the phase before: fills what has the same name and shape, tells what begins afresh, and forgets which checkpoint was the
// best. A weight of the model that is not there is an InputError.
std::optional<Resumed> resume_run(const ResumeRequest& request);

}  // namespace lmzoo
