// What a tokenizer that came of hostile files is tried on.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/utf8.h"
#include "fuzz/target.h"
#include "tokenizer/published/pipeline.h"

namespace lmzoo::fuzz {

// Bytes as a Tokenizer hands them to its pipeline: valid UTF-8 without NUL.
inline std::string valid_text(std::string_view bytes) {
  std::string text(bytes);
  std::erase(text, '\0');
  replace_invalid_utf8(text);
  return text;
}

// Encodes and decodes a few texts: mixed scripts, marks and control characters; one long word; and `given`.
inline void try_texts(const huggingface::Pipeline& pipeline, std::string_view given) {
  const std::vector<std::string> texts{
      "",
      " The caf\xC3\xA9\xCC\x81 \xE4\xB8\xAD\xE6\x96\x87 "
      "\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x9A\x80\t[MASK]\x01 12345 isn't\r\n </s>",
      std::string(2000, 'a'),
      valid_text(given)};
  for (const std::string& text : texts) {
    const std::string normal = pipeline.decode(pipeline.encode(text, true), true);
    touch(normal.data(), normal.size());
    const Encoding encoding = pipeline.encode_with_offsets(text, false);
    touch(encoding.ids.data(), encoding.ids.size() * sizeof encoding.ids[0]);
  }
}

}  // namespace lmzoo::fuzz
