#include "text/words/split.h"

#include <array>
#include <clocale>
#include <cwctype>
#include <stdexcept>

#include <locale.h>
#include <wctype.h>

#include "base/utf8.h"

namespace lmzoo {
namespace {

// The C library's tables of all of Unicode, whatever the user's locale is.
locale_t unicode() {
  static const locale_t locale = [] {
    locale_t made = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    made = made != nullptr ? made : newlocale(LC_CTYPE_MASK, "en_US.UTF-8", nullptr);
    if (made == nullptr) {
      throw std::runtime_error("the C library has no locale C.UTF-8, which splitting text to words needs");
    }
    return made;
  }();
  return locale;
}

bool is_space(char32_t c) {
  return c == ' ' || (c >= 0x09 && c <= 0x0D) || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

bool is_punctuation(char32_t c) { return iswpunct_l(static_cast<wint_t>(c), unicode()) != 0; }
bool is_digit(char32_t c) { return c >= '0' && c <= '9'; }

// Whether the mark between two characters of a word belongs to it.
bool joins(char32_t before, char32_t mark, char32_t after) {
  if (mark == ',' || mark == ':') {
    return is_digit(before) && is_digit(after);
  }
  const bool joint =
      mark == '\'' || mark == 0x2019 || mark == '-' || mark == 0x2010 || mark == '.' || mark == '_';
  return joint && !is_punctuation(before) && !is_punctuation(after);
}

// For bytes below 0x80; all others need a look at the whole character.
enum class Kind : unsigned char { letter, space, upper, other };
constexpr std::array<Kind, 256> kKinds = [] {
  std::array<Kind, 256> kinds{};
  for (int c = 0; c < 256; ++c) {
    const bool space = c == ' ' || (c >= 0x09 && c <= 0x0D);
    kinds[static_cast<size_t>(c)] = c >= 0x80                ? Kind::other
                                    : space                  ? Kind::space
                                    : (c >= 'A' && c <= 'Z') ? Kind::upper
                                                             : Kind::letter;
  }
  return kinds;
}();
Kind kind_of(char c) { return kKinds[static_cast<unsigned char>(c)]; }

std::string& lower(std::string_view text, std::string& to) {
  to.clear();
  for (size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (kind_of(c) != Kind::other) {
      to += kind_of(c) == Kind::upper ? static_cast<char>(c + ('a' - 'A')) : c;
      ++at;
      continue;
    }
    const CodePoint point = code_point_at(text, at);
    at += static_cast<size_t>(point.length);
    append_utf8(to, static_cast<char32_t>(towlower_l(static_cast<wint_t>(point.value), unicode())));
  }
  return to;
}

}  // namespace

// The next characters between white space.
bool WordSplitter::next_run(std::string_view& run) {
  size_t begin = at_;
  bool plain = true;  // nothing to lower
  for (;; begin = at_) {
    while (at_ < text_.size()) {
      const Kind kind = kind_of(text_[at_]);
      if (kind == Kind::space) {
        break;
      }
      if (kind == Kind::other) {
        const CodePoint point = code_point_at(text_, at_);
        if (is_space(point.value)) {
          break;
        }
        at_ += static_cast<size_t>(point.length);
      } else {
        ++at_;
      }
      plain &= kind == Kind::letter;
    }
    if (at_ > begin || at_ == text_.size()) {
      break;
    }
    at_ += kind_of(text_[at_]) == Kind::other ? static_cast<size_t>(code_point_at(text_, at_).length) : 1;
  }
  run = text_.substr(begin, at_ - begin);
  if (!plain && rules_.lower) {
    run = lower(run, lowered_);
  }
  return !run.empty();
}

// The next word, or single mark, of rest_, which is not empty.
bool WordSplitter::next_part(std::string_view& word) {
  const CodePoint first = code_point_at(rest_, 0);
  auto end = static_cast<size_t>(first.length);
  if (!is_punctuation(first.value)) {
    char32_t before = first.value;
    while (end < rest_.size()) {
      const CodePoint point = code_point_at(rest_, end);
      const auto after = end + static_cast<size_t>(point.length);
      if (is_punctuation(point.value) &&
          (after == rest_.size() || !joins(before, point.value, code_point_at(rest_, after).value))) {
        break;
      }
      before = point.value;
      end = after;
    }
  }
  word = rest_.substr(0, end);
  rest_.remove_prefix(end);
  return rules_.punctuation == Punctuation::split || !is_punctuation(first.value);
}

bool WordSplitter::next(std::string_view& word) {
  if (rules_.punctuation == Punctuation::keep) {
    return next_run(word);
  }
  for (;;) {
    while (!rest_.empty()) {
      if (next_part(word)) {
        return true;
      }
    }
    if (!next_run(rest_)) {
      return false;
    }
  }
}

}  // namespace lmzoo
