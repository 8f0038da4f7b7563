// load_run of assemble.h.
#include <filesystem>

#include "core/check.h"
#include "core/cpu_setup.h"
#include "io/utf8.h"
#include "train/assemble.h"
#include "train/checkpoint.h"
#include "train/parameters.h"
#include "train/run_folder.h"
#include "train/tensor_file.h"

namespace lmzoo {
namespace {

namespace fs = std::filesystem;

// The run that a RUN argument belongs to: itself, or two folders above a checkpoint.
std::string run_folder_of(const std::string& path) {
  check(fs::is_directory(path), printable(path), ": no such run or checkpoint folder");
  if (is_run(path)) {
    return path;
  }
  const fs::path checkpoint = fs::absolute(path).lexically_normal();
  const fs::path trimmed = checkpoint.has_filename() ? checkpoint : checkpoint.parent_path();
  const std::string above = trimmed.parent_path().parent_path().string();
  check(
      is_run(above), printable(path), ": is no run (it has no config.yaml), and no checkpoint folder in one");
  return above;
}

}  // namespace

LoadedRun load_run(const std::string& path, const Registry& registry, const std::string& device) {
  LoadedRun run;
  run.folder = run_folder_of(path);
  run.config = read_run_config(config_file(run.folder), {}, registry);
  run.device = choose_device(device.empty() ? run.config.config.train.device : device).device;
  run.checkpoint = resolve_checkpoint(path);
  run.tokenizer = load_tokenizer(tokenizer_folder(run.folder));
  run.parts = build_parts(run.config, registry, run.tokenizer->vocabulary(), read_classes(run.folder));
  read_tensors(run.checkpoint + "/model.safetensors", weights(*run.parts.model, *run.parts.objective));
  run.parts.model->to(run.device);
  run.parts.objective->to(run.device);
  run.parts.model->eval();
  run.parts.objective->eval();
  return run;
}

}  // namespace lmzoo
