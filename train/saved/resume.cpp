#include "train/saved/resume.h"

#include <algorithm>

#include <ATen/core/grad_mode.h>

#include "base/check.h"
#include "core/tensor_file.h"
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

// The names of `wanted` that the file has in the same shape are read; the others are returned.
std::vector<std::string> read_common(const std::string& path, const NamedTensors& wanted) {
  const SafetensorsFile file(path);
  std::vector<std::string> fresh;
  for (const NamedTensor& each : wanted) {
    const TensorView* view = file.find(each.name);
    if (view == nullptr || !std::ranges::equal(view->shape, each.tensor.sizes())) {
      fresh.push_back(each.name);
      continue;
    }
    Tensor target = each.tensor;
    target.copy_(to_tensor(*view, path));
  }
  return fresh;
}

void tell_fresh(const ResumeRequest& request, const char* what, const std::vector<std::string>& names) {
  constexpr size_t kShown = 4;
  if (names.empty()) {
    return;
  }
  std::string list;
  for (size_t i = 0; i < std::min(names.size(), kShown); ++i) {
    list += (i > 0 ? ", " : "") + names[i];
  }
  if (names.size() > kShown) {
    list += fmt::format(" and {} more", names.size() - kShown);
  }
  request.note(fmt::format("{} that the phase before did not have begin afresh: {}", what, list));
}

// What the phase before leaves to this one.
TrainState carry_over(const ResumeRequest& request, const std::string& folder, TrainState state) {
  const std::vector<std::string> fresh = read_common(folder + "/model.safetensors", request.snapshot.weights);
  for (const std::string& name : fresh) {
    check(!name.starts_with("model."),
          "the phase before has no {} of this shape: a phase cannot change the model",
          name);
  }
  tell_fresh(request, "weights", fresh);
  tell_fresh(request,
             "values of the optimizer",
             read_common(folder + "/optimizer.safetensors", request.snapshot.optimizer));
  state.best.reset();
  state.evaluations_since_best = 0;
  state.phase = request.phase;
  for (const auto& [name, content] : request.inputs) {
    state.inputs[name] = content;
  }
  return state;
}

Resumed newest_state(const ResumeRequest& request, const std::string& folder) {
  check(request.resume,
        "{} holds the checkpoints of an earlier run: go on with --resume, or choose another --out",
        request.run);
  const auto newest = newest_valid_checkpoint(
      request.run, [&](const std::string& damage) { request.note("warning: " + damage); });
  check(newest.has_value(), "{}: every checkpoint is damaged; delete {} to begin again", request.run, folder);
  const at::NoGradGuard no_gradient;
  if (const TrainState before = read_state(*newest); before.phase != request.phase) {
    const auto told = before.inputs.find("training text"), now = request.inputs.find("training text");
    const bool same_text =
        told != before.inputs.end() && now != request.inputs.end() && told->second == now->second;
    return {carry_over(request, *newest, before), true, same_text};
  }
  TrainState state = load_checkpoint(*newest, request.snapshot);
  compare_inputs(request, state);
  note_changes(request, state);
  request.note(fmt::format("goes on after step {} from {}", state.step, *newest));
  return {state, false};
}

}  // namespace

std::optional<Resumed> resume_run(const ResumeRequest& request) {
  const std::string folder = checkpoints_folder(request.run);
  std::optional<Resumed> state;
  if (list_checkpoints(request.run).empty()) {
    make_folders(folder);
  } else {
    state = newest_state(request, folder);
  }
  remove_leftovers(folder);
  return state;
}

}  // namespace lmzoo
