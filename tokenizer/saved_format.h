// A saved tokenizer: lmzoo_tokenizer.json, and spiece.model beside it for sentencepiece.
//
//   {"format": "lmzoo-tokenizer", "version": 1, "type": "char", "sentinels": 100, "characters": "etao..."}
//   {"format": "lmzoo-tokenizer", "version": 1, "type": "sentencepiece", "sentinels": 100, "add_specials":
//   true}
#pragma once

#include <cstdint>
#include <string>

#include "io/json.h"

namespace lmzoo {

inline constexpr const char* kTokenizerFile = "lmzoo_tokenizer.json";
inline constexpr const char* kPiecesFile = "spiece.model";

inline Json saved_header(const std::string& type, int64_t sentinels) {
  return Json{{"format", "lmzoo-tokenizer"}, {"version", 1}, {"type", type}, {"sentinels", sentinels}};
}

}  // namespace lmzoo
