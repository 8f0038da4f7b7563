#include "train/saved/checkpoint.h"

#include <algorithm>
#include <filesystem>

#include "base/check.h"
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

void mark_best(const std::string& run, const std::optional<BestMark>& best) {
  const std::string path = checkpoints_folder(run) + "/best.json";
  if (best) {
    write_atomically(path, to_json(*best).dump() + "\n");
  } else {
    fs::remove(path);
  }
}

// Newer folders than this one are of a future that was given up: they were damaged when the run went on from
// here.
void remove_old(const std::string& run, const TrainState& state, int64_t keep_last) {
  const std::vector<std::string> all = list_checkpoints(run);
  int64_t kept = 0;
  for (auto folder = all.rbegin(); folder != all.rend(); ++folder) {
    const int64_t step = *step_of(*folder);
    const bool recent = step <= state.step && kept++ < keep_last;
    if (!recent && !(state.best && state.best->step == step)) {
      fs::remove_all(*folder);
    }
  }
}

}  // namespace

std::string checkpoints_folder(const std::string& run) { return run + "/checkpoints"; }

std::string checkpoint_folder(const std::string& run, int64_t step) {
  return checkpoints_folder(run) + "/" + step_name(step);
}

void save_checkpoint(const std::string& run,
                     const Snapshot& snapshot,
                     const TrainState& state,
                     int64_t keep_last) {
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
  verify_manifest(folder);
  mark_best(run, state.best);
  remove_old(run, state, keep_last);
}

TrainState load_checkpoint(const std::string& folder, const Snapshot& snapshot) {
  const std::string state_file = folder + "/state.json";
  TrainState state = train_state_from(read_json(state_file), state_file);
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
      verify_manifest(*folder);
      return *folder;
    } catch (const InputError& error) {
      warn(fmt::format("checkpoint {} is damaged and passed over: {}", *folder, error.what()));
    }
  }
  return std::nullopt;
}

std::optional<BestMark> best_mark(const std::string& run) {
  const std::string path = checkpoints_folder(run) + "/best.json";
  if (!fs::exists(path)) {
    return std::nullopt;
  }
  return best_mark_from(read_json(path), path);
}

std::string resolve_checkpoint(const std::string& path, bool newest) {
  check(fs::is_directory(path), "{}: no such folder", path);
  if (fs::exists(path + "/" + kManifestName)) {
    verify_manifest(path);
    return path;
  }
  if (const auto best = best_mark(path); best && !newest) {
    const std::string folder = checkpoint_folder(path, best->step);
    verify_manifest(folder);
    return folder;
  }
  std::string damage;
  const auto folder =
      newest_valid_checkpoint(path, [&](const std::string& warning) { damage = "; " + warning; });
  check(folder.has_value(),
        "{}: neither a checkpoint nor a run folder with one ({}/checkpoints/step-N/{}){}",
        path,
        path,
        kManifestName,
        damage);
  return *folder;
}

}  // namespace lmzoo
