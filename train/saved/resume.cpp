#include "train/saved/resume.h"

#include <ATen/core/grad_mode.h>

#include "base/check.h"
#include "io/files.h"

namespace lmzoo {
namespace {

void note_changes(const ResumeRequest& request, const TrainState& state) {
  for (const auto& [name, value] : request.identity) {
    const auto before = state.identity.find(name);
    if (before != state.identity.end() && before->second != value) {
      request.note(
          fmt::format("warning: {} is {} but was {}: the run will not be bit for bit the uninterrupted one",
                      name,
                      value,
                      before->second));
    }
  }
}

// The state keeps what only its beginning knew.
void compare_inputs(const ResumeRequest& request, TrainState& state) {
  for (const auto& [name, content] : request.inputs) {
    const auto before = state.inputs.find(name);
    const bool other = before != state.inputs.end() && before->second != content;
    check(!other || request.other_inputs,
          "--resume: the {} is another than the run in {} has learned with so far (its content is; {} now, "
          "{} before); "
          "put it back, choose another --out for another run, or go on with it by --allow-other-data",
          name,
          request.run,
          content,
          other ? before->second : content);
    if (other) {
      request.note(fmt::format(
          "warning: the {} is another than before: the run will not be the uninterrupted one", name));
    }
    state.inputs[name] = content;
  }
}

TrainState newest_state(const ResumeRequest& request, const std::string& folder) {
  check(request.resume,
        "{} holds the checkpoints of an earlier run: go on with --resume, or choose another --out",
        request.run);
  const auto newest = newest_valid_checkpoint(
      request.run, [&](const std::string& damage) { request.note("warning: " + damage); });
  check(newest.has_value(), "{}: every checkpoint is damaged; delete {} to begin again", request.run, folder);
  const at::NoGradGuard no_gradient;
  TrainState state = load_checkpoint(*newest, request.snapshot);
  compare_inputs(request, state);
  note_changes(request, state);
  request.note(fmt::format("goes on after step {} from {}", state.step, *newest));
  return state;
}

}  // namespace

std::optional<TrainState> resume_run(const ResumeRequest& request) {
  const std::string folder = checkpoints_folder(request.run);
  std::optional<TrainState> state;
  if (list_checkpoints(request.run).empty()) {
    make_folders(folder);
  } else {
    state = newest_state(request, folder);
  }
  remove_leftovers(folder);
  return state;
}

}  // namespace lmzoo
