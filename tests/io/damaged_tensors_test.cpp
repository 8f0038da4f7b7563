// Two hundred damaged checkpoints: a tensor renamed, reshaped, missing, cut off. Each must be refused with
// the file and the tensor named, or give exactly what it says: never other bytes under a right name.
#include <algorithm>
#include <cstring>
#include <filesystem>

#include "io/json.h"
#include "io/tensor_files.h"
#include "support/catch.h"
#include "support/files.h"
#include "support/zip_builder.h"

using namespace lmzoo;

namespace {

constexpr int kTensors = 10;

std::string name_of_tensor(int i) { return "layer." + std::to_string(i) + ".weight"; }
std::string values_of_tensor(int i) {
  return std::string(4 * static_cast<size_t>(i + 1) * 3, static_cast<char>('a' + i));
}

// What a safetensors header or a state_dict says of the tensors; each damage changes one.
struct Entry {
  std::string name;
  std::string dtype = "F32";
  std::vector<int64_t> shape;
  int64_t begin = 0;
  int64_t end = 0;
};

std::vector<Entry> right_entries() {
  std::vector<Entry> entries;
  int64_t at = 0;
  for (int i = 0; i < kTensors; ++i) {
    const int64_t size = static_cast<int64_t>(values_of_tensor(i).size());
    entries.push_back({.name = name_of_tensor(i), .shape = {i + 1, 3}, .begin = at, .end = at + size});
    at += size;
  }
  return entries;
}

std::string all_values() {
  std::string data;
  for (int i = 0; i < kTensors; ++i) {
    data += values_of_tensor(i);
  }
  return data;
}

std::string safetensors(const std::vector<Entry>& entries, const std::string& data = all_values()) {
  std::string header = "{";
  for (const Entry& entry : entries) {
    Json json;
    json["dtype"] = entry.dtype;
    json["shape"] = entry.shape;
    json["data_offsets"] = {entry.begin, entry.end};
    header += (header.size() > 1 ? ",\"" : "\"") + entry.name + "\":" + json.dump();
  }
  header += "}";
  return test::le64(header.size()) + header + data;
}

// Each tensor has a storage of its own, by its number.
std::string torch_file(const std::vector<Entry>& entries, int cut = -1) {
  std::vector<std::pair<std::string, std::string>> state;
  std::vector<std::pair<std::string, std::string>> storages;
  for (size_t i = 0; i < entries.size(); ++i) {
    const Entry& entry = entries[i];
    const std::string key = std::to_string(i);
    const std::string type = entry.dtype == "F32" ? "FloatStorage" : "DoubleStorage";
    const std::string storage = test::pickle::storage(type, key, (entry.end - entry.begin) / 4);
    state.emplace_back(entry.name,
                       test::pickle::tensor({.storage = storage, .sizes = entry.shape, .strides = {3, 1}}));
    std::string values = values_of_tensor(static_cast<int>(i));
    if (static_cast<int>(i) == cut) {
      values.resize(values.size() - 4);
    }
    storages.emplace_back(key, values);
  }
  return test::torch_file(test::pickle::file(test::pickle::dict(state)), storages);
}

class Counter {
 public:
  // The file must be refused, and the refusal name the file and `tensor`.
  void refused(const std::string& name, const std::string& bytes, const std::string& tensor) {
    const std::string path = dir_ / name;
    std::filesystem::remove(path);
    test::write_file(path, bytes);
    std::string why = "accepted";
    try {
      TensorFiles::open(path);
    } catch (const InputError& error) {
      why = error.what();
    }
    INFO(why);
    CHECK(why.find(path) == 0);
    CHECK(why.find("\"" + tensor + "\"") != std::string::npos);
    CHECK(why.find('\n') == std::string::npos);
    ++cases_;
  }
  int cases() const { return cases_; }

 private:
  test::TempDir dir_;
  int cases_ = 0;
};

}  // namespace

TEST_CASE("the files that are damaged below are right") {
  const test::TempDir dir;
  test::write_file(dir / "m.safetensors", safetensors(right_entries()));
  test::write_file(dir / "m.bin", torch_file(right_entries()));
  for (const char* name : {"m.safetensors", "m.bin"}) {
    const TensorFiles files = TensorFiles::open(dir / name);
    for (int i = 0; i < kTensors; ++i) {
      const TensorView* tensor = files.find(name_of_tensor(i));
      REQUIRE(tensor != nullptr);
      CHECK(tensor->shape == std::vector<int64_t>{i + 1, 3});
      const std::string wanted = values_of_tensor(i);
      REQUIRE(tensor->bytes.size() == wanted.size());
      CHECK(std::memcmp(tensor->bytes.data(), wanted.data(), wanted.size()) == 0);
    }
  }
}

TEST_CASE("200 tensors renamed, reshaped, missing or cut off are refused by name") {
  Counter counter;
  for (int i = 0; i < kTensors; ++i) {
    const std::string name = name_of_tensor(i);
    const std::string next = name_of_tensor((i + 1) % kTensors);
    const auto damaged = [&](const auto& change) {
      std::vector<Entry> entries = right_entries();
      change(entries[static_cast<size_t>(i)]);
      return entries;
    };
    const std::vector<std::vector<Entry>> of_both = {
        damaged([&](Entry& e) { e.name = next; }),
        damaged([&](Entry& e) { e.shape[0] += 1; }),
        damaged([&](Entry& e) { e.shape[1] += 1; }),
        damaged([&](Entry& e) { e.shape[0] = int64_t{1} << 62; }),
        damaged([&](Entry& e) { e.dtype = "F64"; }),
    };
    for (size_t k = 0; k < of_both.size(); ++k) {
      const std::string& blamed = k == 0 ? next : name;
      counter.refused("m.safetensors", safetensors(of_both[k]), blamed);
      counter.refused("m.bin", torch_file(of_both[k]), blamed);
    }
    // Only safetensors: every byte must belong to a tensor of exactly its size.
    counter.refused("m.safetensors", safetensors(damaged([](Entry& e) { e.shape[0] -= 1; })), name);
    counter.refused("m.safetensors", safetensors(damaged([](Entry& e) { e.end -= 4; })), name);
    counter.refused("m.safetensors", safetensors(damaged([](Entry& e) { e.end += 4; })), name);
    counter.refused("m.safetensors", safetensors(damaged([](Entry& e) { e.begin += 4; })), name);
    counter.refused("m.safetensors", safetensors(damaged([](Entry& e) { e.dtype = "F33"; })), name);
    std::vector<Entry> missing = right_entries();
    missing.erase(missing.begin() + i);
    counter.refused("m.safetensors", safetensors(missing), i + 1 < kTensors ? next : name_of_tensor(i - 1));
    const int64_t begin = right_entries()[static_cast<size_t>(i)].begin;
    counter.refused("m.safetensors",
                    safetensors(right_entries(), all_values().substr(0, static_cast<size_t>(begin) + 2)),
                    name);
    // Only PyTorch: the storage is a file of its own.
    counter.refused("m.bin", torch_file(right_entries(), i), name);
    counter.refused("m.bin", torch_file(damaged([](Entry& e) { e.end += 4; })), name);
    counter.refused("m.bin", torch_file(damaged([](Entry& e) { e.end -= 4; })), name);
  }
  CHECK(counter.cases() >= 200);
}
