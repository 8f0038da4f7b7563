// UTF-8: finding and replacing what is not, stepping through code points, and showing untrusted text in a
// message.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace lmzoo {

inline constexpr char32_t kReplacement = 0xFFFD;

struct CodePoint {
  char32_t value = kReplacement;
  int length = 0;      // bytes; 0 at the end of the text
  bool valid = false;  // false: `length` bytes of a broken sequence
};

// The code point at `position`. Overlong forms, surrogates and values over U+10FFFF are broken.
CodePoint code_point_at(std::string_view text, size_t position);
void append_utf8(std::string& text, char32_t value);

// The offset of the first byte of a broken sequence, or npos.
size_t find_invalid_utf8(std::string_view text);
inline bool is_utf8(std::string_view text) { return find_invalid_utf8(text) == std::string_view::npos; }

// Puts U+FFFD in place of every broken sequence and every NUL, and returns how many it replaced. Text without
// any is left untouched.
int64_t replace_invalid_utf8(std::string& text);

// Where the byte at `offset` of a file's whole text stands.
Location locate(std::string_view text, size_t offset, const std::string& file);

// Untrusted text for a one-line message: control characters and broken bytes as \xNN, cut to about `limit`
// bytes.
std::string printable(std::string_view text, size_t limit = 80);

}  // namespace lmzoo
