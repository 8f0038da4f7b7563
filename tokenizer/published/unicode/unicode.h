// What the parts of a pipeline ask of Unicode, answered by ICU and fitted to the versions of Unicode that
// Hugging Face's `tokenizers` is built on: its BERT parts know Unicode 8, its normal forms Unicode 9, its
// regular expressions the newest. A code point that was unassigned in such a version is treated as
// unassigned, whatever ICU knows of it.
//
// Text is valid UTF-8 everywhere in this folder.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lmzoo::huggingface {

// The code point at `at`, which then stands behind it.
inline char32_t next_code_point(std::string_view text, size_t& at) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const char32_t first = byte(at);
  if (first < 0x80) {
    ++at;
    return first;
  }
  if (first < 0xE0) {
    at += 2;
    return (first & 0x1F) << 6 | (byte(at - 1) & 0x3F);
  }
  if (first < 0xF0) {
    at += 3;
    return (first & 0x0F) << 12 | (byte(at - 2) & 0x3F) << 6 | (byte(at - 1) & 0x3F);
  }
  at += 4;
  return (first & 0x07) << 18 | (byte(at - 3) & 0x3F) << 12 | (byte(at - 2) & 0x3F) << 6 |
         (byte(at - 1) & 0x3F);
}

inline char32_t code_point_of(std::string_view text, size_t at) { return next_code_point(text, at); }

inline bool is_continuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

// Where the character that ends before `at` (> 0) begins.
inline size_t previous(std::string_view text, size_t at) {
  do {
    --at;
  } while (at > 0 && is_continuation(text[at]));
  return at;
}

size_t count_code_points(std::string_view text);

enum class CharClass : uint8_t { other, letter, number, space };
// The classes of ASCII.
inline constexpr std::array<CharClass, 128> kAsciiClasses = [] {
  std::array<CharClass, 128> classes{};
  for (size_t c = 0; c < classes.size(); ++c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool space = c == ' ' || (c >= '\t' && c <= '\r');
    const bool digit = c >= '0' && c <= '9';
    classes[c] = letter  ? CharClass::letter
                 : digit ? CharClass::number
                 : space ? CharClass::space
                         : CharClass::other;
  }
  return classes;
}();
CharClass wide_class(char32_t c);

// \p{L}, \p{N} or \s, else other.
inline CharClass class_of(char32_t c) { return c < 0x80 ? kAsciiClasses[c] : wide_class(c); }
inline bool is_space(char32_t c) { return class_of(c) == CharClass::space; }

bool is_word(char32_t c);  // \w of Rust's regex
bool is_ascii_punctuation(char32_t c);

// The BERT parts, of Unicode 8.
bool is_old_punctuation(char32_t c);
bool is_old_control(char32_t c);
bool is_old_nonspacing_mark(char32_t c);
bool is_combining_mark(char32_t c);  // Unicode 9, as StripAccents has it
bool is_cjk(char32_t c);

// The lower case of one character: never more than three.
void append_lower(char32_t c, std::u32string& out);

// A character of rewritten text: `change` is 0 for one that replaces a character, +1 for one that is inserted
// behind it, -n for one that also swallows the next n.
struct Change {
  char32_t c = 0;
  int change = 0;
};

enum class NormalForm { nfc, nfd, nfkc, nfkd };

// The text in a normal form as changes; false, with nothing appended, when that is the text itself.
bool normal_form(NormalForm form, std::string_view text, std::vector<Change>& out);

// Where each grapheme cluster ends.
void grapheme_ends(std::string_view text, std::vector<size_t>& out);

}  // namespace lmzoo::huggingface
