// Names for cached results: a fast 128-bit hash of what they were made from. Not cryptographic: it tells
// apart contents, not adversaries.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace lmzoo {

//   ContentHash hash;
//   hash.add(options_as_text).add(bytes);
//   cache_dir + "/tokenizer-" + hash.hex()
class ContentHash {
 public:
  // Each call adds one item: add("ab").add("c") differs from add("a").add("bc").
  ContentHash& add(std::string_view bytes);
  ContentHash& add(int64_t number);
  ContentHash& add_file(const std::string& path);  // its bytes, not its name
  std::string hex() const;                         // 32 digits

 private:
  std::array<uint64_t, 2> state_{0x9E3779B97F4A7C15, 0xD1B54A32D192ED03};
};

}  // namespace lmzoo
