// safetensors: named tensors in one file, no code in it.
//
//   u64 LE n | n bytes of JSON: {"__metadata__": {text: text}, NAME: {"dtype", "shape", "data_offsets":
//   [begin, end]}} | data
//
// The reader maps the file and copies nothing. It refuses every departure from the format: header over 100 MB
// or over the file, not starting with "{", unknown, missing or duplicate keys, offsets that overlap, leave
// holes or do not end at the end of the file, a shape whose bytes (multiplied with overflow checks) are not
// those of its offsets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/files.h"

namespace lmzoo {

enum class Dtype {
  boolean,
  f4,
  f6_e2m3,
  f6_e3m2,
  u8,
  i8,
  f8_e5m2,
  f8_e4m3,
  f8_e8m0,
  f8_e4m3fnuz,
  f8_e5m2fnuz,
  i16,
  u16,
  f16,
  bf16,
  i32,
  u32,
  f32,
  c64,
  f64,
  i64,
  u64,
};
std::string_view name_of(Dtype dtype);  // as in the file: "BF16"
int64_t bits_of(Dtype dtype);

struct TensorView {
  std::string name;
  Dtype dtype = Dtype::f32;
  std::vector<int64_t> shape;        // row-major; empty: a scalar
  std::span<const std::byte> bytes;  // little endian; in files of others not necessarily aligned
};

class SafetensorsFile {
 public:
  explicit SafetensorsFile(const std::string& path);

  // In the order of the data. The bytes live as long as this object (moving it keeps them).
  const std::vector<TensorView>& tensors() const { return tensors_; }
  const TensorView* find(std::string_view name) const;
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  const std::string& path() const { return file_.path(); }

 private:
  MappedFile file_;
  std::vector<TensorView> tensors_;
  std::map<std::string, size_t, std::less<>> index_;
  std::map<std::string, std::string> metadata_;
};

// Atomic and synced; tensors by descending alignment of their dtype, then by name, so that all are aligned.
// Metadata gets {"format": "pt"} unless it says otherwise. Bytes that are not those of the shape, or a name
// given twice, are programming errors.
void write_safetensors(const std::string& path,
                       std::span<const TensorView> tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace lmzoo
