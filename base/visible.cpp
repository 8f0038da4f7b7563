#include "base/visible.h"

#include <algorithm>

#include "base/utf8.h"

namespace lmzoo {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

void append_bytes(std::string& shown, std::string_view bytes) {
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    shown += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
  }
}

// The end of the code point that begins at or before `at`, so that no cut goes through one.
size_t next_boundary(std::string_view text, size_t at) {
  while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) {
    ++at;
  }
  return at;
}

}  // namespace

bool steers_a_terminal(char32_t point) {
  return point < 0x20 || (point >= 0x7F && point < 0xA0) || point == 0x061C || point == 0x200E ||
         point == 0x200F || (point >= 0x2028 && point <= 0x202E) || (point >= 0x2066 && point <= 0x2069);
}

std::string visible(std::string_view text) {
  std::string shown;
  shown.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    const CodePoint point = code_point_at(text, i);
    const std::string_view bytes = text.substr(i, static_cast<size_t>(point.length));
    const bool keeps = point.value == '\n' || point.value == '\t' || !steers_a_terminal(point.value);
    if (point.valid && keeps) {
      shown += bytes;
    } else {
      append_bytes(shown, bytes);
    }
    i += bytes.size();
  }
  return shown;
}

std::string message_line(std::string_view message, size_t limit) {
  std::string line(message);
  if (line.size() > limit) {
    const size_t front = next_boundary(line, limit * 3 / 4);
    const size_t back = next_boundary(line, line.size() - limit / 4);
    line = line.substr(0, front) + " ... " + line.substr(back);
  }
  std::ranges::replace_if(
      line, [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
  return visible(line);
}

std::string visible_json(std::string_view json) {
  std::string shown;
  shown.reserve(json.size());
  for (size_t i = 0; i < json.size();) {
    const CodePoint point = code_point_at(json, i);
    const std::string_view bytes = json.substr(i, static_cast<size_t>(point.length));
    // Below 0x20 stand only the line breaks between values.
    if (point.valid && point.value > 0x20 && steers_a_terminal(point.value)) {
      shown += "\\u";
      for (int shift = 12; shift >= 0; shift -= 4) {
        shown += kHex[(point.value >> shift) & 15];
      }
    } else {
      shown += bytes;
    }
    i += bytes.size();
  }
  return shown;
}

}  // namespace lmzoo
