#include "io/tensor_index.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <utility>

#include "base/utf8.h"
#include "io/files.h"
#include "io/json.h"

namespace lmzoo {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxIndexBytes = size_t{64} << 20;
constexpr size_t kMaxIndexTensors = 1 << 18;
constexpr size_t kMaxFiles = 10'000;
constexpr size_t kMaxIndexNameBytes = 1024;
constexpr size_t kMaxFileNameBytes = 255;

std::string shown_key(std::string_view name) { return "\"" + printable(name) + "\""; }

bool is_plain_file_name(std::string_view name) {
  const auto is_bad = [](unsigned char c) {
    return c < 0x20 || c == 0x7F || c == '/' || c == '\\' || c == ':';
  };
  return !name.empty() && name.size() <= kMaxFileNameBytes && name[0] != '.' &&
         std::none_of(name.begin(), name.end(), is_bad);
}

// Takes the events of the index; what is not below weight_map goes by.
class IndexHandler final : public JsonHandler {
 public:
  bool has_map = false;
  std::map<std::string, size_t, std::less<>> files;
  std::map<std::string, size_t> owner;

  void null() override { value("null"); }
  void boolean(bool) override { value("a truth value"); }
  void integer(int64_t) override { value("a number"); }
  void natural(uint64_t) override { value("a number"); }
  void real(double) override { value("a number"); }
  void begin_array() override { open("a list"); }
  void end_array() override { --depth_; }

  void begin_object() override {
    if (depth_ == 1 && key_ == "weight_map") {
      in_map_ = has_map = true;
    } else {
      open_object();
      return;
    }
    ++depth_;
  }
  void end_object() override {
    --depth_;
    in_map_ = in_map_ && depth_ > 1;
  }
  void key(std::string& name) override {
    key_ = std::move(name);
    if (in_map_ && key_.size() > kMaxIndexNameBytes) {
      throw InputError("a name is longer than " + std::to_string(kMaxIndexNameBytes) + " bytes");
    }
  }
  void text(std::string& file) override {
    if (!in_map_) {
      value("a text");
      return;
    }
    if (!is_plain_file_name(file)) {
      throw InputError("tensor " + shown_key(key_) + " is said to be in " + shown_key(file) +
                       ", but files of an index are plain names in its folder");
    }
    if (owner.size() >= kMaxIndexTensors || files.size() >= kMaxFiles) {
      throw InputError("over " + std::to_string(kMaxIndexTensors) + " tensors or " +
                       std::to_string(kMaxFiles) + " files");
    }
    owner.emplace(std::move(key_), files.emplace(std::move(file), files.size()).first->second);
  }

 private:
  void value(const std::string& what) const {
    if (depth_ == 0) {
      throw InputError(what + ", but an index is an object");
    }
    if (in_map_ || (depth_ == 1 && key_ == "weight_map")) {
      throw InputError(what + " at " + shown_key(key_) +
                       ", but weight_map is an object that gives each tensor the name of its file");
    }
  }
  void open(const std::string& what) {
    value(what);
    ++depth_;
  }
  void open_object() {
    if (depth_ > 0) {
      value("an object");
    }
    ++depth_;
  }

  int depth_ = 0;
  bool in_map_ = false;
  std::string key_;
};

}  // namespace

TensorIndex read_tensor_index(const std::string& path) {
  IndexHandler handler;
  const JsonLimits limits{.bytes = kMaxIndexBytes, .depth = 16, .values = 2 * kMaxIndexTensors};
  parse_json(read_text_file(path, limits.bytes), path, handler, limits);
  if (!handler.has_map || handler.owner.empty()) {
    throw InputError(Location{path}, "not an index of tensors: it has no weight_map, or an empty one");
  }
  // Files came numbered by first mention; by name is the order that transformers opens them in.
  TensorIndex index;
  std::vector<size_t> position(handler.files.size());
  for (const auto& [file, number] : handler.files) {
    position[number] = index.files.size();
    index.files.push_back(file);
  }
  index.owner = std::move(handler.owner);
  for (auto& [tensor, file] : index.owner) {
    file = position[file];
  }
  return index;
}

std::string resolve_shard(const std::string& index_path, const std::string& file) {
  const fs::path folder = fs::path(index_path).parent_path();
  const fs::path path = folder / file;
  std::error_code error;
  if (!fs::exists(path, error)) {
    throw InputError(Location{index_path}, "names the file " + shown_key(file) + ", which is missing");
  }
  if (fs::is_symlink(path, error)) {
    const fs::path target = fs::canonical(path, error).parent_path();
    const fs::path home = fs::canonical(folder.empty() ? fs::path(".") : folder, error);
    if (error || (target != home && target != home.parent_path().parent_path() / "blobs")) {
      throw InputError(Location{index_path},
                       "names the file " + shown_key(file) + ", which is a link out of the folder");
    }
  }
  return path.string();
}

}  // namespace lmzoo
