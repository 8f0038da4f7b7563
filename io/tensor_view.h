// A named tensor of a file: what it is, and where its bytes lie.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

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
std::string_view name_of(Dtype dtype);  // as in a safetensors file: "BF16"
std::optional<Dtype> dtype_of(std::string_view name);
int64_t bits_of(Dtype dtype);

// The bytes of a shape, or nothing when they are not whole or over 2^60, or a dimension is negative.
// Dimensions of zero count as one in the check, so that row-major strides cannot overflow either.
std::optional<uint64_t> byte_count(std::span<const int64_t> shape, Dtype dtype);

struct TensorView {
  std::string name;
  Dtype dtype = Dtype::f32;
  std::vector<int64_t> shape;        // row-major; empty: a scalar
  std::span<const std::byte> bytes;  // little endian; in files of others not necessarily aligned
};

}  // namespace lmzoo
