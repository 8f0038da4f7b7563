// Little-endian numbers and runs of bytes, one after the other.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace lmzoo {

static_assert(std::endian::native == std::endian::little, "numbers are copied as they lie in the file");

// Nothing is checked: whoever reads has made sure that the bytes are there.
class Cursor {
 public:
  Cursor(std::span<const std::byte> bytes, uint64_t position) : bytes_(bytes), position_(position) {}

  template <std::unsigned_integral T>
  T number() {
    T value = 0;
    std::memcpy(&value, bytes_.subspan(position_, sizeof value).data(), sizeof value);
    position_ += sizeof value;
    return value;
  }
  uint16_t u16() { return number<uint16_t>(); }
  uint32_t u32() { return number<uint32_t>(); }
  uint64_t u64() { return number<uint64_t>(); }
  void skip(size_t count) { position_ += count; }
  std::span<const std::byte> take(size_t count) {
    const auto taken = bytes_.subspan(position_, count);
    position_ += count;
    return taken;
  }
  std::string_view text(size_t count) {
    const auto taken = take(count);
    return {reinterpret_cast<const char*>(taken.data()), taken.size()};
  }

 private:
  std::span<const std::byte> bytes_;
  uint64_t position_;
};

}  // namespace lmzoo
