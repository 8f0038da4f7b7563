#include "train/saved/checkpoint.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "base/check.h"
#include "base/visible.h"
#include "core/tensor_file.h"
#include "io/files.h"
#include "io/manifest.h"

namespace lmzoo {
namespace {

namespace fs = std::filesystem;

// The step of a folder's name, if it is a checkpoint's.
std::optional<int64_t> step_of(const std::string& folder) {
  return step_of_name(fs::path(folder).filename().string());
}

const std::vector<std::string>& required_files() {
  static const std::vector<std::string> names{"model.safetensors", "optimizer.safetensors", "state.json"};
  return names;
}

bool is_checkpoint(const std::string& path) {
  return fs::exists(path + "/" + kManifestName) && !fs::exists(checkpoints_folder(path)) &&
         !fs::exists(path + "/config.yaml");
}

// Newer folders than this one are of a future that was given up: they were damaged when the run went on from
// here.
std::string remove_old(const std::string& run, const TrainState& state, const Keep& keep) {
  std::string failures;
  const std::vector<std::string> all = list_checkpoints(run);
  int64_t kept = 0;
  for (auto folder = all.rbegin(); folder != all.rend(); ++folder) {
    const int64_t step = *step_of(*folder);
    const bool recent = step <= state.step && kept++ < keep.last;
    const bool named = step <= state.step && std::ranges::binary_search(keep.steps, step);
    if (!recent && !named && !(state.best && state.best->step == step)) {
      try {
        remove_folder(*folder);
      } catch (const InputError& error) {
        failures += fmt::format("{}an old checkpoint stays: {}", failures.empty() ? "" : "; ", error.what());
      }
    }
  }
  return failures;
}

}  // namespace

std::string checkpoints_folder(const std::string& run) { return run + "/checkpoints"; }

TrainState read_state(const std::string& folder) {
  const std::string file = folder + "/state.json";
  return train_state_from(read_json(file), file);
}

std::string checkpoint_folder(const std::string& run, int64_t step) {
  return checkpoints_folder(run) + "/" + step_name(step);
}

void verify_checkpoint(const std::string& folder) {
  verify_manifest(folder, required_files());
  const auto named = step_of(folder);
  const int64_t step = read_state(folder).step;
  check(!named || *named == step, "{} holds the checkpoint of step {}", folder, step);
}

std::string save_checkpoint(const std::string& run,
                            const Snapshot& snapshot,
                            const TrainState& state,
                            const Keep& keep) {
  const std::string folder = checkpoint_folder(run, state.step);
  make_folders(checkpoints_folder(run));
  ensure_space(
      checkpoints_folder(run),
      static_cast<uint64_t>(count_bytes(snapshot.weights) + count_bytes(snapshot.optimizer)) + (1 << 20));
  StagedFolder staged(folder);
  write_tensors(
      staged.path() + "/model.safetensors", snapshot.weights, {{"step", std::to_string(state.step)}});
  write_tensors(staged.path() + "/optimizer.safetensors", snapshot.optimizer);
  write_atomically(staged.path() + "/state.json", to_json(state).dump(2) + "\n");
  write_manifest(staged.path());
  staged.commit();
  verify_checkpoint(folder);
  return remove_old(run, state, keep);
}

TrainState load_checkpoint(const std::string& folder, const Snapshot& snapshot) {
  TrainState state = read_state(folder);
  read_tensors(folder + "/model.safetensors", snapshot.weights);
  read_tensors(folder + "/optimizer.safetensors", snapshot.optimizer);
  return state;
}

std::vector<std::string> list_checkpoints(const std::string& run) {
  std::vector<std::string> folders;
  std::error_code missing;
  for (const auto& entry : fs::directory_iterator(checkpoints_folder(run), missing)) {
    if (entry.is_directory() && step_of(entry.path())) {
      folders.push_back(entry.path());
    }
  }
  std::sort(folders.begin(), folders.end(), [](const std::string& a, const std::string& b) {
    return *step_of(a) < *step_of(b);
  });
  return folders;
}

std::optional<std::string> newest_valid_checkpoint(const std::string& run,
                                                   const std::function<void(const std::string&)>& warn) {
  const std::vector<std::string> all = list_checkpoints(run);
  for (auto folder = all.rbegin(); folder != all.rend(); ++folder) {
    try {
      verify_checkpoint(*folder);
      return *folder;
    } catch (const InputError& error) {
      warn(fmt::format("checkpoint {} is damaged and passed over: {}", *folder, error.what()));
    }
  }
  return std::nullopt;
}

std::optional<TrainState> state_of_newest(const std::string& run) {
  const auto newest = newest_valid_checkpoint(run, warn_on_stderr);
  return newest ? std::optional(read_state(*newest)) : std::nullopt;
}

std::optional<BestMark> best_mark(const std::string& run) {
  const auto newest = newest_valid_checkpoint(run, [](const std::string&) {});
  return newest ? read_state(*newest).best : std::nullopt;
}

void warn_on_stderr(const std::string& what) { std::fprintf(stderr, "warning: %s\n", visible(what).c_str()); }

std::string resolve_checkpoint(const std::string& path, bool newest) {
  check(fs::is_directory(path), "{}: no such folder", path);
  if (is_checkpoint(path)) {
    verify_checkpoint(path);
    return path;
  }
  std::string damage;
  const auto folder = newest_valid_checkpoint(
      path, [&](const std::string& warning) { damage += (damage.empty() ? "" : "; ") + warning; });
  check(folder.has_value(),
        "{}: neither a checkpoint nor a run folder with one ({}/checkpoints/step-N/{}){}{}",
        path,
        path,
        kManifestName,
        damage.empty() ? "" : "; ",
        damage);
  if (!damage.empty()) {
    warn_on_stderr(damage);
  }
  const std::optional<BestMark> best = read_state(*folder).best;
  if (newest || !best || checkpoint_folder(path, best->step) == *folder) {
    return *folder;
  }
  const std::string marked = checkpoint_folder(path, best->step);
  try {
    verify_checkpoint(marked);
  } catch (const InputError& error) {
    throw InputError(fmt::format("the best checkpoint, {}, is damaged: {}; name another one, as in {}",
                                 marked,
                                 error.what(),
                                 *folder));
  }
  return marked;
}

}  // namespace lmzoo
