// Zip files and the pickles of PyTorch for tests: right ones, and with every lie that their formats allow.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace lmzoo::test {

// A number as it lies in a file.
std::string le16(uint64_t value);
std::string le32(uint64_t value);
std::string le64(uint64_t value);

// What is absent is what it should be.
struct ZipPart {
  std::string name;
  std::string bytes;
  std::string local_name{};  // empty: name
  uint16_t flags = 0;
  std::optional<uint16_t> local_flags{};
  uint16_t method = 0;
  std::optional<uint32_t> crc{};
  std::optional<uint32_t> stored{};  // sizes in the directory
  std::optional<uint32_t> size{};
  std::optional<uint32_t> offset{};
  uint16_t disk = 0;
  std::string extra{};  // in the directory
  std::string comment{};
  std::string descriptor{};  // and whatever else lies behind the bytes
};

struct ZipShape {
  std::vector<ZipPart> parts;
  std::string before{};
  std::string hidden{};  // between entries and directory
  std::string zip64{};   // end record and locator, given as they are
  std::optional<uint32_t> entries{};
  std::optional<uint32_t> directory_offset{};
  std::optional<uint32_t> directory_bytes{};
  uint16_t disk = 0;
  std::string comment{};
  std::string after{};
};

std::string build_zip(const ZipShape& shape);

namespace pickle {

std::string text(const std::string& value);
std::string integer(int64_t value);
std::string name(const std::string& module, const std::string& name);
std::string tuple(const std::vector<std::string>& items);
std::string integers(const std::vector<int64_t>& values);
std::string dict(const std::vector<std::pair<std::string, std::string>>& entries);
// name(...) called without arguments, and with some.
std::string call(const std::string& function, const std::vector<std::string>& arguments);
std::string storage(const std::string& type,
                    const std::string& key,
                    int64_t length,
                    const std::string& device = "cpu");

struct Tensor {
  std::string storage;
  int64_t offset = 0;
  std::vector<int64_t> sizes{};
  std::vector<int64_t> strides{};
};
std::string tensor(const Tensor& tensor);

// Protocol 2 around a value.
std::string file(const std::string& value);

}  // namespace pickle

// The entries of a file of torch.save: data.pkl, data/KEY, version.
std::vector<ZipPart> torch_parts(const std::string& data_pkl,
                                 const std::vector<std::pair<std::string, std::string>>& storages);
std::string torch_file(const std::string& data_pkl,
                       const std::vector<std::pair<std::string, std::string>>& storages);

}  // namespace lmzoo::test
