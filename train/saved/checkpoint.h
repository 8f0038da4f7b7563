// Checkpoints of a run: everything that the next step depends on.
//
//   RUN/checkpoints/step-0000100/   model.safetensors      "model.<name>", "objective.<name>"
//                                   optimizer.safetensors  "<parameter>.exp_avg", ".exp_avg_sq", ".step"
//                                   state.json             TrainState
//                                   manifest.json          sizes and CRCs of the others
//
// A folder appears whole or not at all (io/files.h); what was damaged later is found by its CRC, and the one
// before is used. Which checkpoint is the best one stands in the state of the newest, and nowhere else.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/parameters.h"
#include "train/saved/train_state.h"

namespace lmzoo {

std::string checkpoints_folder(const std::string& run);               // RUN/checkpoints
std::string checkpoint_folder(const std::string& run, int64_t step);  // RUN/checkpoints/step-0000100

// Tensors share memory with what they belong to: saving reads them, loading writes into them.
struct Snapshot {
  NamedTensors weights;
  NamedTensors optimizer;
};

// Which old checkpoints stay, beside the best one.
struct Keep {
  int64_t last = 1;              // so many of the newest
  std::vector<int64_t> steps{};  // and these, which are ascending
};

// Writes RUN's checkpoint of state.step, reads it back against its CRCs, and only then removes old ones. Returns which could not be removed, and why; empty: none.
std::string save_checkpoint(const std::string& run,
                            const Snapshot& snapshot,
                            const TrainState& state,
                            const Keep& keep);

// What a checkpoint folder's state.json says.
TrainState read_state(const std::string& folder);
// Fills `snapshot` from a checkpoint folder whose names and shapes must be exactly those; returns its state.
TrainState load_checkpoint(const std::string& folder, const Snapshot& snapshot);

// That all its files are as they were written, and of the step that its name says; InputError otherwise.
void verify_checkpoint(const std::string& folder);
// Folders of all checkpoints of a run, oldest first, valid or not.
std::vector<std::string> list_checkpoints(const std::string& run);
// The newest one that verify_checkpoint accepts; `warn` hears about each damaged one that was passed over.
std::optional<std::string> newest_valid_checkpoint(const std::string& run,
                                                   const std::function<void(const std::string&)>& warn);
// What the newest valid checkpoint says; none without a valid one.
std::optional<TrainState> state_of_newest(const std::string& run);
std::optional<BestMark> best_mark(const std::string& run);
// For those who have no other place for a warning.
void warn_on_stderr(const std::string& what);

// The checkpoint that a RUN argument means: itself if it is one (verified), of a run folder the one that the newest valid
// one says is best (or that one itself if there is none, or `newest` is set). Tells of damaged ones that are newer.
// InputError when there is none, or when the best one is damaged.
std::string resolve_checkpoint(const std::string& path, bool newest = false);

}  // namespace lmzoo
