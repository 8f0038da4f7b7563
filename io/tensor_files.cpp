#include "io/tensor_files.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <stdexcept>
#include <utility>

#include "base/utf8.h"
#include "io/tensor_index.h"
#include "io/torch_file.h"

namespace lmzoo {
namespace {

namespace fs = std::filesystem;

constexpr std::array<const char*, 4> kFolderNames = {
    "model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json"};

std::string shown_name(std::string_view name) { return "\"" + printable(name) + "\""; }

std::string file_of_folder(const std::string& folder) {
  for (const char* name : kFolderNames) {
    const fs::path path = fs::path(folder) / name;
    std::error_code ignored;
    if (fs::exists(path, ignored)) {
      return path.string();
    }
  }
  throw InputError(Location{folder},
                   "has no model.safetensors, no pytorch_model.bin and no index (*.index.json) of either");
}

// Only by its name: an index and a torch file that are no such are refused better by their own readers.
bool is_index(const std::string& path) { return path.ends_with(".json"); }

bool is_torch(const std::string& path) {
  if (path.ends_with(".safetensors")) {
    return false;
  }
  const std::string extension = fs::path(path).extension().string();
  return extension == ".bin" || extension == ".pt" || extension == ".pth" ||
         TorchFile::is_zip(MappedFile(path).text());
}

}  // namespace

struct TensorFiles::State {
  std::string path;
  std::vector<std::string> files;
  std::vector<SafetensorsFile> safetensors;
  std::vector<TorchFile> torch;
  std::vector<TensorView> tensors;
  std::vector<size_t> owner;  // of each tensor: position in files
  std::map<std::string, size_t, std::less<>> index;
  std::map<std::string, std::string> metadata;

  void add(const std::string& file) {
    if (is_torch(file)) {
      take(file, torch.emplace_back(file).tensors());
    } else {
      take(file, safetensors.emplace_back(file).tensors());
    }
  }
  void take(const std::string& file, const std::vector<TensorView>& more) {
    for (const TensorView& tensor : more) {
      const auto [known, is_new] = index.emplace(tensor.name, tensors.size());
      if (!is_new) {
        throw InputError(Location{path},
                         "tensor " + shown_name(tensor.name) +
                             " is in two files: " + files[owner[known->second]] + " and " + file);
      }
      tensors.push_back(tensor);
      owner.push_back(files.size());
    }
    files.push_back(file);
  }
  void add_all_of(const std::string& index_path) {
    const TensorIndex listed = read_tensor_index(index_path);
    for (const std::string& file : listed.files) {
      add(resolve_shard(index_path, file));
    }
    for (const auto& [tensor, file] : listed.owner) {
      const auto found = index.find(tensor);
      if (found == index.end()) {
        throw InputError(Location{index_path},
                         "tensor " + shown_name(tensor) + " is not in " + shown_name(listed.files[file]) +
                             " nor another file");
      }
      if (owner[found->second] != file) {
        throw InputError(Location{index_path},
                         "tensor " + shown_name(tensor) + " is not in " + shown_name(listed.files[file]) +
                             " but in " + files[owner[found->second]]);
      }
    }
  }
};

TensorFiles TensorFiles::open(const std::string& path) {
  auto state = std::make_unique<State>();
  state->path = path;
  std::error_code ignored;
  const std::string file = fs::is_directory(path, ignored) ? file_of_folder(path) : path;
  if (is_index(file)) {
    state->add_all_of(file);
  } else {
    state->add(file);
    if (!state->safetensors.empty()) {
      state->metadata = state->safetensors.front().metadata();
    }
  }
  return TensorFiles(std::move(state));
}

bool TensorFiles::is_in(const std::string& folder) {
  return std::any_of(kFolderNames.begin(), kFolderNames.end(), [&](const char* name) {
    std::error_code ignored;
    return fs::exists(fs::path(folder) / name, ignored);
  });
}

TensorFiles::TensorFiles(std::unique_ptr<State> state) : state_(std::move(state)) {}
TensorFiles::TensorFiles(TensorFiles&&) noexcept = default;
TensorFiles& TensorFiles::operator=(TensorFiles&&) noexcept = default;
TensorFiles::~TensorFiles() = default;

std::span<const TensorView> TensorFiles::tensors() const { return state_->tensors; }
const std::string& TensorFiles::path() const { return state_->path; }
const std::vector<std::string>& TensorFiles::files() const { return state_->files; }
const std::map<std::string, std::string>& TensorFiles::metadata() const { return state_->metadata; }

const TensorView* TensorFiles::find(std::string_view name) const {
  const auto found = state_->index.find(name);
  return found == state_->index.end() ? nullptr : &state_->tensors[found->second];
}

const std::string& TensorFiles::source(std::string_view name) const {
  const auto found = state_->index.find(name);
  if (found == state_->index.end()) {
    throw std::logic_error("no tensor of this name: " + std::string(name));
  }
  return state_->files[state_->owner[found->second]];
}

}  // namespace lmzoo
