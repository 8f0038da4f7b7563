#include "tokenizer/published/unicode/unicode.h"

#include <algorithm>
#include <array>
#include <memory>
#include <stdexcept>

#include <unicode/brkiter.h>
#include <unicode/locid.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/utext.h>

namespace lmzoo::huggingface {
namespace {

uint32_t category(char32_t c) { return U_GET_GC_MASK(static_cast<UChar32>(c)); }

bool is_assigned_in(char32_t c, int unicode_version) {
  UVersionInfo age;
  u_charAge(static_cast<UChar32>(c), age);
  return age[0] <= unicode_version;
}

constexpr int kOldVersion = 8;
constexpr int kNormalVersion = 9;

struct Normalizers {
  const icu::Normalizer2* canonical = nullptr;
  const icu::Normalizer2* compatible = nullptr;
};

const Normalizers& normalizers() {
  static const Normalizers both = [] {
    UErrorCode error = U_ZERO_ERROR;
    const Normalizers found{icu::Normalizer2::getNFCInstance(error),
                            icu::Normalizer2::getNFKCInstance(error)};
    if (U_FAILURE(error)) {
      throw std::runtime_error(std::string("ICU has no data for normal forms: ") + u_errorName(error));
    }
    return found;
  }();
  return both;
}

uint8_t combining_class(char32_t c) {
  return is_assigned_in(c, kNormalVersion) ? u_getCombiningClass(static_cast<UChar32>(c)) : 0;
}

struct Ordered {
  char32_t c;
  int change;
  uint8_t combining;
};

// The full decomposition with marks in canonical order.
std::vector<Ordered> decompose(std::string_view text, bool compatible) {
  const Normalizers& all = normalizers();
  const icu::Normalizer2& rules = compatible ? *all.compatible : *all.canonical;
  std::vector<Ordered> out;
  out.reserve(text.size());
  icu::UnicodeString parts;
  for (size_t at = 0; at < text.size();) {
    const char32_t c = next_code_point(text, at);
    if (c < 0x80 || !is_assigned_in(c, kNormalVersion) ||
        !rules.getDecomposition(static_cast<UChar32>(c), parts)) {
      out.push_back({c, 0, c < 0x80 ? uint8_t{0} : combining_class(c)});
      continue;
    }
    for (int32_t i = 0; i < parts.length(); i = parts.moveIndex32(i, 1)) {
      const auto part = static_cast<char32_t>(parts.char32At(i));
      out.push_back({part, i == 0 ? 0 : 1, combining_class(part)});
    }
  }
  for (auto begin = out.begin(); begin != out.end();) {
    if (begin->combining == 0) {
      ++begin;
      continue;
    }
    const auto end = std::find_if(begin, out.end(), [](const Ordered& o) { return o.combining == 0; });
    std::stable_sort(
        begin, end, [](const Ordered& a, const Ordered& b) { return a.combining < b.combining; });
    begin = end;
  }
  return out;
}

// The primary composite of two characters, or 0.
char32_t composed(char32_t first, char32_t second) {
  const UChar32 c =
      normalizers().canonical->composePair(static_cast<UChar32>(first), static_cast<UChar32>(second));
  return c >= 0 && is_assigned_in(static_cast<char32_t>(c), kNormalVersion) ? static_cast<char32_t>(c) : 0;
}

// Joins each starter with the marks behind it that are not blocked (Unicode Standard Annex 15).
void compose(const std::vector<Ordered>& parts, std::vector<Change>& out) {
  for (size_t at = 0; at < parts.size();) {
    if (parts[at].combining != 0) {
      out.push_back({parts[at].c, parts[at].change});
      ++at;
      continue;
    }
    Change starter{parts[at].c, parts[at].change};
    std::vector<Change> between;
    int last = -1;  // combining class of the last of `between`
    for (++at; at < parts.size(); ++at) {
      const Ordered& next = parts[at];
      const bool blocked = last >= 0 && last >= next.combining;
      if (const char32_t joined = blocked ? 0 : composed(starter.c, next.c)) {
        starter = {joined, starter.change + next.change - 1};
      } else if (next.combining == 0) {
        break;
      } else {
        between.push_back({next.c, next.change});
        last = next.combining;
      }
    }
    out.push_back(starter);
    out.insert(out.end(), between.begin(), between.end());
  }
}

}  // namespace

CharClass wide_class(char32_t c) {
  const uint32_t mask = category(c);
  return (mask & U_GC_L_MASK) != 0                  ? CharClass::letter
         : (mask & U_GC_N_MASK) != 0                ? CharClass::number
         : u_isUWhiteSpace(static_cast<UChar32>(c)) ? CharClass::space
                                                    : CharClass::other;
}

size_t count_code_points(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char byte) { return !is_continuation(byte); }));
}

bool is_word(char32_t c) {
  const auto point = static_cast<UChar32>(c);
  return u_hasBinaryProperty(point, UCHAR_ALPHABETIC) || u_hasBinaryProperty(point, UCHAR_JOIN_CONTROL) ||
         (category(c) & (U_GC_M_MASK | U_GC_ND_MASK | U_GC_PC_MASK)) != 0;
}

bool is_ascii_punctuation(char32_t c) { return c > ' ' && c < 0x7F && kAsciiClasses[c] == CharClass::other; }

bool is_old_punctuation(char32_t c) {
  if (c < 0x80) {
    return is_ascii_punctuation(c);
  }
  // These two were punctuation then and are symbols or marks now.
  return c == 0x166D || c == 0x111C9 || ((category(c) & U_GC_P_MASK) != 0 && is_assigned_in(c, kOldVersion));
}

bool is_old_control(char32_t c) {
  if (c < 0x80) {
    return (c < ' ' || c == 0x7F) && c != '\t' && c != '\n' && c != '\r';
  }
  return (category(c) & (U_GC_CC_MASK | U_GC_CF_MASK | U_GC_CO_MASK)) != 0 && is_assigned_in(c, kOldVersion);
}

bool is_old_nonspacing_mark(char32_t c) {
  // U+1734 was one then; the other four were not.
  return c == 0x1734 || ((category(c) & U_GC_MN_MASK) != 0 && c != 0x1885 && c != 0x1886 && c != 0xA9BD &&
                         c != 0x111C9 && is_assigned_in(c, kOldVersion));
}

bool is_combining_mark(char32_t c) {
  // U+1CF2 and U+1CF3 were marks then, U+111C9 was not.
  return c == 0x1CF2 || c == 0x1CF3 ||
         ((category(c) & U_GC_M_MASK) != 0 && c != 0x111C9 && is_assigned_in(c, kNormalVersion));
}

bool is_cjk(char32_t c) {
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x20000 && c <= 0x2A6DF) ||
         (c >= 0x2A700 && c <= 0x2B73F) || (c >= 0x2B740 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) ||
         (c >= 0xF900 && c <= 0xFAFF) || (c >= 0x2F800 && c <= 0x2FA1F);
}

void append_lower(char32_t c, std::u32string& out) {
  // Only this one becomes two characters.
  if (c == 0x130) {
    out += {U'i', char32_t{0x307}};
  } else if (c < 0x80) {
    out += c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
  } else {
    out += static_cast<char32_t>(u_tolower(static_cast<UChar32>(c)));
  }
}

bool normal_form(NormalForm form, std::string_view text, std::vector<Change>& out) {
  if (std::all_of(text.begin(), text.end(), [](char byte) { return static_cast<signed char>(byte) >= 0; })) {
    return false;
  }
  const std::vector<Ordered> parts = decompose(text, form == NormalForm::nfkc || form == NormalForm::nfkd);
  if (form == NormalForm::nfc || form == NormalForm::nfkc) {
    compose(parts, out);
    return true;
  }
  for (const Ordered& part : parts) {
    out.push_back({part.c, part.change});
  }
  return true;
}

void grapheme_ends(std::string_view text, std::vector<size_t>& out) {
  UErrorCode error = U_ZERO_ERROR;
  const std::unique_ptr<icu::BreakIterator> breaks(
      icu::BreakIterator::createCharacterInstance(icu::Locale::getRoot(), error));
  UText source = UTEXT_INITIALIZER;
  utext_openUTF8(&source, text.data(), static_cast<int64_t>(text.size()), &error);
  if (U_SUCCESS(error)) {
    breaks->setText(&source, error);
  }
  if (U_FAILURE(error)) {
    throw std::runtime_error(std::string("ICU cannot break text into graphemes: ") + u_errorName(error));
  }
  breaks->first();
  for (int32_t end = breaks->next(); end != icu::BreakIterator::DONE; end = breaks->next()) {
    out.push_back(static_cast<size_t>(end));
  }
  utext_close(&source);
}

}  // namespace lmzoo::huggingface
