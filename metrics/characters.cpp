#include "metrics/characters.h"

#include <algorithm>
#include <memory>
#include <stdexcept>

#include <unicode/ucasemap.h>
#include <unicode/uchar.h>

#include "base/utf8.h"

namespace lmzoo {
namespace {

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

struct CloseCaseMap {
  void operator()(UCaseMap* map) const { ucasemap_close(map); }
};

const UCaseMap* root_case_map() {
  static const std::unique_ptr<UCaseMap, CloseCaseMap> map = [] {
    UErrorCode error = U_ZERO_ERROR;
    std::unique_ptr<UCaseMap, CloseCaseMap> made(ucasemap_open("", 0, &error));
    if (U_FAILURE(error)) {
      throw std::runtime_error(std::string("ICU has no case map: ") + u_errorName(error));
    }
    return made;
  }();
  return map.get();
}

uint32_t category_of(char32_t c) { return U_GET_GC_MASK(static_cast<UChar32>(c)); }

}  // namespace

std::u32string decoded(std::string_view text) {
  std::u32string characters;
  characters.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const CodePoint point = code_point_at(text, at);
    characters += point.value;
    at += static_cast<size_t>(point.length);
  }
  return characters;
}

std::string encoded(std::u32string_view characters) {
  std::string text;
  text.reserve(characters.size());
  for (const char32_t c : characters) {
    append_utf8(text, c);
  }
  return text;
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  if (is_ascii(text)) {
    std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return lower;
  }
  const auto size = static_cast<int32_t>(text.size());
  while (true) {
    UErrorCode error = U_ZERO_ERROR;
    const int32_t needed = ucasemap_utf8ToLower(
        root_case_map(), lower.data(), static_cast<int32_t>(lower.size()), text.data(), size, &error);
    if (error != U_BUFFER_OVERFLOW_ERROR && U_FAILURE(error)) {
      throw std::runtime_error(std::string("ICU cannot lower a text: ") + u_errorName(error));
    }
    lower.resize(static_cast<size_t>(needed));
    if (error != U_BUFFER_OVERFLOW_ERROR) {
      return lower;
    }
  }
}

bool is_white(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

bool is_word(char32_t c) {
  return c == U'_' || (category_of(c) & (U_GC_L_MASK | U_GC_N_MASK)) != 0 ||
         u_getIntPropertyValue(static_cast<UChar32>(c), UCHAR_NUMERIC_TYPE) != U_NT_NONE;
}

bool is_number(char32_t c) { return (category_of(c) & U_GC_N_MASK) != 0; }
bool is_punctuation(char32_t c) { return (category_of(c) & U_GC_P_MASK) != 0; }
bool is_symbol(char32_t c) { return (category_of(c) & U_GC_S_MASK) != 0; }

std::vector<std::string> split_words(std::string_view text) {
  std::vector<std::string> words;
  bool inside = false;
  for (size_t at = 0; at < text.size();) {
    const CodePoint point = code_point_at(text, at);
    const bool white = is_white(point.value);
    if (!white && !inside) {
      words.emplace_back();
    }
    if (!white) {
      words.back() += text.substr(at, static_cast<size_t>(point.length));
    }
    inside = !white;
    at += static_cast<size_t>(point.length);
  }
  return words;
}

std::string_view without_white_end(std::string_view text) {
  size_t end = 0;  // after the last character that is not white
  for (size_t at = 0; at < text.size();) {
    const CodePoint point = code_point_at(text, at);
    at += static_cast<size_t>(point.length);
    end = is_white(point.value) ? end : at;
  }
  return text.substr(0, end);
}

bool is_ascii_punctuation(char32_t c) {
  return (c >= U'!' && c <= U'/') || (c >= U':' && c <= U'@') || (c >= U'[' && c <= U'`') ||
         (c >= U'{' && c <= U'~');
}

}  // namespace lmzoo
