#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <stdexcept>
#include <utility>

#include "io/json.h"
#include "io/safetensors.h"

namespace lmzoo {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSingleName = "model.safetensors";
constexpr const char* kIndexName = "model.safetensors.index.json";

using Tensors = std::vector<const TensorView*>;

std::string header_of(const Tensors& tensors, const std::map<std::string, std::string>& metadata) {
  Json::object_t entries;
  Json::object_t::Container& list = entries;  // Json's own insertion is quadratic
  Json texts = metadata;
  texts.emplace("format", "pt");  // transformers refuses files without
  list.emplace_back("__metadata__", std::move(texts));
  uint64_t offset = 0;
  for (const TensorView* tensor : tensors) {
    const uint64_t end = offset + tensor->bytes.size();
    Json entry;
    entry["dtype"] = name_of(tensor->dtype);
    entry["shape"] = tensor->shape;
    entry["data_offsets"] = {offset, end};
    list.emplace_back(tensor->name, std::move(entry));
    offset = end;
  }
  std::string header = Json(std::move(entries)).dump(-1, ' ', false, Json::error_handler_t::replace);
  header.resize((header.size() + 7) / 8 * 8, ' ');
  return header;
}

uint64_t total_bytes(const Tensors& tensors) {
  uint64_t total = 0;
  for (const TensorView* tensor : tensors) {
    total += tensor->bytes.size();
  }
  return total;
}

// By name, each once, and each of the size of its shape.
Tensors checked(std::span<const TensorView> tensors) {
  Tensors sorted;
  sorted.reserve(tensors.size());
  for (const TensorView& tensor : tensors) {
    if (byte_count(tensor.shape, tensor.dtype) != tensor.bytes.size() || tensor.name == "__metadata__") {
      throw std::logic_error("tensor " + tensor.name + " has a wrong size or name");
    }
    sorted.push_back(&tensor);
  }
  std::sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) { return a->name < b->name; });
  const auto same_name = [](const TensorView* a, const TensorView* b) { return a->name == b->name; };
  if (const auto twice = std::adjacent_find(sorted.begin(), sorted.end(), same_name); twice != sorted.end()) {
    throw std::logic_error("tensor " + (*twice)->name + " is given twice");
  }
  return sorted;
}

void write_file(const std::string& path,
                Tensors tensors,
                const std::map<std::string, std::string>& metadata) {
  std::stable_sort(tensors.begin(), tensors.end(), [](const TensorView* a, const TensorView* b) {
    return bits_of(a->dtype) > bits_of(b->dtype);
  });
  const std::string header = header_of(tensors, metadata);
  const uint64_t length = header.size();
  ensure_space(fs::path(path).parent_path().string(), sizeof length + length + total_bytes(tensors));
  write_atomically(path, [&](FileSink& sink) {
    sink.write(std::as_bytes(std::span(&length, 1)));
    sink.write(header);
    for (const TensorView* tensor : tensors) {
      sink.write(tensor->bytes);
    }
  });
}

std::vector<Tensors> cut(const Tensors& tensors, uint64_t max_shard_bytes) {
  std::vector<Tensors> shards;
  uint64_t room = 0;
  for (const TensorView* tensor : tensors) {
    if (shards.empty() || (tensor->bytes.size() > room && !shards.back().empty())) {
      shards.emplace_back();
      room = max_shard_bytes;
    }
    room -= std::min<uint64_t>(room, tensor->bytes.size());
    shards.back().push_back(tensor);
  }
  return shards;
}

std::string shard_name(size_t number, size_t count) {
  std::array<char, 64> name{};
  std::snprintf(name.data(), name.size(), "model-%05zu-of-%05zu.safetensors", number, count);
  return name.data();
}

// Whether write_sharded could have made a file of this name.
bool is_ours(const std::string& name) {
  size_t number = 0, count = 0;
  return name == kSingleName || name == kIndexName ||
         (std::sscanf(name.c_str(), "model-%5zu-of-%5zu.safetensors", &number, &count) == 2 &&
          name == shard_name(number, count));
}

void remove_others(const fs::path& folder, const std::vector<std::string>& kept) {
  std::vector<fs::path> old;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (is_ours(name) && std::find(kept.begin(), kept.end(), name) == kept.end()) {
      old.push_back(entry.path());
    }
  }
  for (const fs::path& path : old) {
    std::error_code ignored;  // what stays is an old file that nothing refers to
    fs::remove(path, ignored);
  }
}

}  // namespace

void write_safetensors(const std::string& path,
                       std::span<const TensorView> tensors,
                       const std::map<std::string, std::string>& metadata) {
  write_file(path, checked(tensors), metadata);
}

void write_sharded(const std::string& folder,
                   std::span<const TensorView> tensors,
                   uint64_t max_shard_bytes,
                   const std::map<std::string, std::string>& metadata) {
  const Tensors sorted = checked(tensors);
  const std::vector<Tensors> shards = cut(sorted, max_shard_bytes);
  const fs::path root(folder);
  make_folders(folder);
  if (shards.size() <= 1) {
    write_file((root / kSingleName).string(), sorted, metadata);
    remove_others(root, {kSingleName});
    return;
  }
  ensure_space(folder, total_bytes(sorted));
  std::error_code ignored;
  fs::remove(root / kIndexName, ignored);  // it must not describe a mixture of old and new shards
  std::vector<std::string> files{kIndexName};
  Json::object_t map;
  Json::object_t::Container& list = map;
  for (size_t i = 0; i < shards.size(); ++i) {
    files.push_back(shard_name(i + 1, shards.size()));
    write_file((root / files.back()).string(), shards[i], metadata);
    for (const TensorView* tensor : shards[i]) {
      list.emplace_back(tensor->name, files.back());
    }
  }
  Json index;
  index["metadata"]["total_size"] = total_bytes(sorted);
  index["weight_map"] = std::move(map);
  write_atomically((root / kIndexName).string(),
                   index.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  remove_others(root, files);
}

}  // namespace lmzoo
