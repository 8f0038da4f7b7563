#include "io/tensor_view.h"

#include <algorithm>
#include <array>

namespace lmzoo {
namespace {

struct DtypeInfo {
  Dtype dtype;
  std::string_view name;
  int64_t bits;
};
constexpr std::array<DtypeInfo, 22> kDtypes = {{
    {Dtype::boolean, "BOOL", 8},
    {Dtype::f4, "F4", 4},
    {Dtype::f6_e2m3, "F6_E2M3", 6},
    {Dtype::f6_e3m2, "F6_E3M2", 6},
    {Dtype::u8, "U8", 8},
    {Dtype::i8, "I8", 8},
    {Dtype::f8_e5m2, "F8_E5M2", 8},
    {Dtype::f8_e4m3, "F8_E4M3", 8},
    {Dtype::f8_e8m0, "F8_E8M0", 8},
    {Dtype::f8_e4m3fnuz, "F8_E4M3FNUZ", 8},
    {Dtype::f8_e5m2fnuz, "F8_E5M2FNUZ", 8},
    {Dtype::i16, "I16", 16},
    {Dtype::u16, "U16", 16},
    {Dtype::f16, "F16", 16},
    {Dtype::bf16, "BF16", 16},
    {Dtype::i32, "I32", 32},
    {Dtype::u32, "U32", 32},
    {Dtype::f32, "F32", 32},
    {Dtype::c64, "C64", 64},
    {Dtype::f64, "F64", 64},
    {Dtype::i64, "I64", 64},
    {Dtype::u64, "U64", 64},
}};

const DtypeInfo& info_of(Dtype dtype) { return kDtypes.at(static_cast<size_t>(dtype)); }

}  // namespace

std::string_view name_of(Dtype dtype) { return info_of(dtype).name; }
int64_t bits_of(Dtype dtype) { return info_of(dtype).bits; }

std::optional<Dtype> dtype_of(std::string_view name) {
  const auto known =
      std::find_if(kDtypes.begin(), kDtypes.end(), [&](const auto& d) { return d.name == name; });
  return known == kDtypes.end() ? std::nullopt : std::optional(known->dtype);
}

std::optional<uint64_t> byte_count(std::span<const int64_t> shape, Dtype dtype) {
  int64_t bits = bits_of(dtype);
  bool empty = false;
  for (const int64_t dimension : shape) {
    empty = empty || dimension == 0;
    if (dimension < 0 || __builtin_mul_overflow(bits, std::max<int64_t>(dimension, 1), &bits)) {
      return std::nullopt;
    }
  }
  if (empty) {
    return 0;
  }
  return bits % 8 == 0 ? std::optional<uint64_t>(bits / 8) : std::nullopt;
}

}  // namespace lmzoo
