// All that a published tokenizer makes of a text as one line, as tests/golden/published_tokenizers.py writes it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tokenizer/tokenizer.h"

namespace lmzoo::test {

inline std::string numbers_of(const std::vector<int64_t>& ids) {
  std::string text;
  for (const int64_t id : ids) {
    text += (text.empty() ? "" : " ") + std::to_string(id);
  }
  return text;
}

inline std::string summary_of(const Tokenizer& tokenizer, const std::string& text) {
  const Encoding encoding = tokenizer.encode_marked_with_offsets(text);
  const std::vector<int64_t> second = tokenizer.encode_marked("a pair");
  const FramedText framed = tokenizer.with_specials(encoding.ids);
  const FramedText pair = tokenizer.with_specials(encoding.ids, std::span<const int64_t>(second));
  return numbers_of(encoding.ids) + "|" + numbers_of(encoding.begin) + "|" + numbers_of(encoding.end) + "|" +
         numbers_of(framed.ids) + "|" + numbers_of(pair.ids) + "|" + numbers_of(pair.token_types) + "|" +
         tokenizer.decode(encoding.ids);
}

}  // namespace lmzoo::test
