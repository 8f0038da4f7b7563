// The tokenizers without training: one id a byte, one id a character. Both keep text as it is.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "tokenizer/tokenizer.h"

namespace lmzoo {

std::shared_ptr<const Tokenizer> make_byte_tokenizer(int64_t sentinels);

// `characters`: those that have an id, in the order of their ids; each once.
std::shared_ptr<const Tokenizer> make_character_tokenizer(const std::u32string& characters,
                                                          int64_t sentinels);

// Counts the characters of texts and gives them from the most to the least frequent (ties by code point).
class CharacterCounter {
 public:
  void add(std::string_view text);
  std::u32string ranked() const;

 private:
  std::map<char32_t, int64_t> counts_;
};

}  // namespace lmzoo
