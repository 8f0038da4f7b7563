#include "cuda/gpu.h"

#include <cstdlib>
#include <filesystem>

#include "base/error.h"
#include "core/device.h"
#include "core/tensor_file.h"
#include "io/files.h"
#include "io/safetensors.h"
#include "support/files.h"
#include "train/run/train_run.h"

namespace lmzoo::test {
namespace {

std::vector<Json> training_rows(const std::string& run) {
  std::vector<Json> rows;
  const std::string text = read_file(run + "/metrics.jsonl");
  for (size_t begin = 0, end = 0; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
    Json row = Json::parse(text.substr(begin, end - begin));
    if (row.at("kind") == "train") {
      rows.push_back(std::move(row));
    }
  }
  return rows;
}

std::string newest_checkpoint(const std::string& run) {
  std::string newest;
  for (const auto& entry : std::filesystem::directory_iterator(run + "/checkpoints")) {
    newest = entry.is_directory() ? std::max(newest, entry.path().string()) : newest;
  }
  return newest;
}

}  // namespace

std::optional<std::string> tested_device() {
  static const std::optional<std::string> device = []() -> std::optional<std::string> {
    if (const char* named = std::getenv("LMZOO_TEST_DEVICE")) {
      return named;
    }
    try {
      choose_device({.name = "cuda"});
      return "cuda";
    } catch (const InputError&) {
      return std::nullopt;
    }
  }();
  return device;
}

const Registry& registry() {
  static const Registry made = make_registry();
  return made;
}

LoadedConfig debug_config(const std::string& name, const std::vector<std::string>& changes) {
  std::vector<Override> overrides{parse_override("train.log_every=1")};
  for (const std::string& change : changes) {
    overrides.push_back(parse_override(change));
  }
  return read_run_config("configs/debug/" + name + ".yaml", overrides, registry());
}

Trained trained(const LoadedConfig& loaded) {
  const TempDir dir;
  return trained_in(dir / "run", loaded, /*resume=*/false);
}

Trained trained_in(const std::string& folder, const LoadedConfig& loaded, bool resume) {
  train_run(loaded, registry(), folder, {.resume = resume});
  const std::string checkpoint = newest_checkpoint(folder);
  Trained result{
      .rows = training_rows(folder), .moments = {}, .weights = read_file(checkpoint + "/model.safetensors")};
  const SafetensorsFile optimizer(checkpoint + "/optimizer.safetensors");
  for (const TensorView& view : optimizer.tensors()) {
    result.moments[view.name] = to_tensor(view, optimizer.path()).to(at::kDouble);
  }
  return result;
}

}  // namespace lmzoo::test
