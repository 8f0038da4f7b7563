#include "base/utf8.h"

#include <algorithm>
#include <cstring>

#include "base/visible.h"

namespace lmzoo {
namespace {

constexpr std::string_view kReplacementBytes = "\xEF\xBF\xBD";

// What the first byte of a sequence promises: its length, and the legal range of the second byte, which is
// where overlong forms, surrogates and values over U+10FFFF show.
struct Lead {
  int length;
  unsigned char low;
  unsigned char high;
};

Lead lead_of(unsigned char byte) {
  if (byte < 0x80) return {1, 0, 0};
  if (byte < 0xC2) return {0, 0, 0};
  if (byte < 0xE0) return {2, 0x80, 0xBF};
  if (byte < 0xF0) {
    return {3,
            static_cast<unsigned char>(byte == 0xE0 ? 0xA0 : 0x80),
            static_cast<unsigned char>(byte == 0xED ? 0x9F : 0xBF)};
  }
  if (byte < 0xF5) {
    return {4,
            static_cast<unsigned char>(byte == 0xF0 ? 0x90 : 0x80),
            static_cast<unsigned char>(byte == 0xF4 ? 0x8F : 0xBF)};
  }
  return {0, 0, 0};
}

// The end of the run of plain ASCII from `position`, eight bytes at a time.
size_t skip_ascii(std::string_view text, size_t position) {
  while (position + 8 <= text.size()) {
    uint64_t word;
    std::memcpy(&word, text.data() + position, 8);
    if ((word & 0x8080808080808080ULL) != 0) {
      break;
    }
    position += 8;
  }
  while (position < text.size() && static_cast<unsigned char>(text[position]) < 0x80) {
    ++position;
  }
  return position;
}

}  // namespace

CodePoint code_point_at(std::string_view text, size_t position) {
  if (position >= text.size()) {
    return {};
  }
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[position + i]); };
  const Lead lead = lead_of(byte(0));
  if (lead.length == 1) {
    return {byte(0), 1, true};
  }
  if (lead.length == 0) {
    return {kReplacement, 1, false};
  }
  char32_t value = byte(0) & (0x7F >> lead.length);
  for (int i = 1; i < lead.length; ++i) {
    const bool there = position + i < text.size();
    const unsigned char low = i == 1 ? lead.low : 0x80;
    const unsigned char high = i == 1 ? lead.high : 0xBF;
    if (!there || byte(i) < low || byte(i) > high) {
      return {kReplacement, i, false};
    }
    value = (value << 6) | (byte(i) & 0x3F);
  }
  return {value, lead.length, true};
}

void append_utf8(std::string& text, char32_t value) {
  const auto put = [&](char32_t byte) { text += static_cast<char>(byte); };
  if (value > 0x10FFFF || (value >= 0xD800 && value < 0xE000)) {
    value = kReplacement;
  }
  if (value < 0x80) {
    put(value);
  } else if (value < 0x800) {
    put(0xC0 | (value >> 6));
    put(0x80 | (value & 0x3F));
  } else if (value < 0x10000) {
    put(0xE0 | (value >> 12));
    put(0x80 | ((value >> 6) & 0x3F));
    put(0x80 | (value & 0x3F));
  } else {
    put(0xF0 | (value >> 18));
    put(0x80 | ((value >> 12) & 0x3F));
    put(0x80 | ((value >> 6) & 0x3F));
    put(0x80 | (value & 0x3F));
  }
}

size_t find_invalid_utf8(std::string_view text) {
  for (size_t i = skip_ascii(text, 0); i < text.size(); i = skip_ascii(text, i)) {
    const CodePoint point = code_point_at(text, i);
    if (!point.valid) {
      return i;
    }
    i += point.length;
  }
  return std::string_view::npos;
}

int64_t replace_invalid_utf8(std::string& text) {
  const size_t first = std::min(find_invalid_utf8(text), text.find('\0'));
  if (first == std::string::npos) {
    return 0;
  }
  int64_t replaced = 0;
  std::string repaired = text.substr(0, first);
  for (size_t i = first; i < text.size();) {
    const CodePoint point = code_point_at(text, i);
    if (point.valid && point.value != 0) {
      repaired.append(text, i, point.length);
    } else {
      repaired += kReplacementBytes;
      ++replaced;
    }
    i += point.length;
  }
  text = std::move(repaired);
  return replaced;
}

Location locate(std::string_view text, size_t offset, const std::string& file) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  const size_t newline = before.rfind('\n');
  const size_t line_start = newline == std::string_view::npos ? 0 : newline + 1;
  return {file,
          std::count(before.begin(), before.end(), '\n') + 1,
          static_cast<int64_t>(before.size() - line_start) + 1};
}

std::string printable(std::string_view text, size_t limit) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string shown;
  for (size_t i = 0; i < text.size();) {
    if (shown.size() >= limit) {
      return shown + "...";
    }
    const CodePoint point = code_point_at(text, i);
    const bool shows = point.valid && !steers_a_terminal(point.value);
    for (int k = 0; k < point.length; ++k, ++i) {
      const auto byte = static_cast<unsigned char>(text[i]);
      if (shows) {
        shown += text[i];
      } else {
        shown += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
      }
    }
  }
  return shown;
}

}  // namespace lmzoo
