// Names for cached results: a fast 128-bit hash (XXH3) of what they were made from. Not cryptographic: it
// tells apart contents, not adversaries.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct XXH3_state_s;

namespace lmzoo {

//   ContentHash hash;
//   hash.add(options_as_text).add(bytes);
//   cache_dir + "/tokenizer-" + hash.hex()
class ContentHash {
 public:
  ContentHash();

  // Each call adds one item: add("ab").add("c") differs from add("a").add("bc").
  ContentHash& add(std::string_view bytes);
  ContentHash& add(int64_t number);
  ContentHash& add_file(const std::string& path);  // its bytes, not its name
  std::string hex() const;                         // 32 digits

 private:
  struct Release {
    void operator()(XXH3_state_s* state) const;
  };
  std::unique_ptr<XXH3_state_s, Release> state_;
};

}  // namespace lmzoo
