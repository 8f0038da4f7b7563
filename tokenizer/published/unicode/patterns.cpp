#include "tokenizer/published/unicode/patterns.h"

#include <array>
#include <utility>

namespace lmzoo::huggingface {
namespace {

// Steps over characters for which `is` holds.
template <class Is>
size_t run(std::string_view text, size_t at, const Is& is) {
  while (at < text.size()) {
    size_t next = at;
    if (!is(next_code_point(text, next))) {
      break;
    }
    at = next;
  }
  return at;
}

size_t run_of(std::string_view text, size_t at, CharClass wanted) {
  return run(text, at, [wanted](char32_t c) { return class_of(c) == wanted; });
}

bool is_line_end(char32_t c) { return c == '\r' || c == '\n'; }

// \s+(?!\S)|\s+ : whitespace without its last character when something follows it.
size_t match_spaces(std::string_view text, size_t at) {
  const size_t end = run_of(text, at, CharClass::space);
  if (end == text.size() || end == at) {
    return end;
  }
  const size_t shorter = previous(text, end);
  return shorter > at ? shorter : end;
}

// 's|'t|'re|'ve|'m|'ll|'d behind an apostrophe at `at`; with `any_case` also in capitals and with the long s.
size_t match_contraction(std::string_view text, size_t at, bool any_case) {
  if (text[at] != '\'') {
    return at;
  }
  std::array<char, 2> letters{};
  std::array<size_t, 2> ends{at + 1, at + 1};
  size_t next = at + 1;
  for (size_t i = 0; i < letters.size() && next < text.size(); ++i) {
    const char32_t c = next_code_point(text, next);
    const bool upper = any_case && c >= 'A' && c <= 'Z';
    letters[i] = any_case && c == 0x17F ? 's'
                 : c >= 0x80            ? '\0'
                                        : static_cast<char>(upper ? c + ('a' - 'A') : c);
    ends[i] = next;
  }
  const auto [first, second] = letters;
  if (first == 's' || first == 't' || first == 'm' || first == 'd') {
    return ends[0];
  }
  const bool two =
      (first == 'r' && second == 'e') || (first == 'v' && second == 'e') || (first == 'l' && second == 'l');
  return two ? ends[1] : at;
}

// `digits`: how many numbers are one match.
size_t match_modern(std::string_view text, size_t at, int digits) {
  if (const size_t end = match_contraction(text, at, true); end > at) {
    return end;
  }
  size_t next = at;
  const char32_t c = next_code_point(text, next);
  const CharClass kind = class_of(c);
  if (kind == CharClass::letter) {
    return run_of(text, next, CharClass::letter);
  }
  if (kind != CharClass::number && !is_line_end(c)) {
    if (const size_t end = run_of(text, next, CharClass::letter); end > next) {
      return end;
    }
  }
  if (kind == CharClass::number) {
    for (int i = 1; i < digits && next < text.size(); ++i) {
      size_t after = next;
      if (class_of(next_code_point(text, after)) != CharClass::number) {
        break;
      }
      next = after;
    }
    return next;
  }
  const size_t symbols = c == ' ' ? next : at;
  if (const size_t end = run_of(text, symbols, CharClass::other); end > symbols) {
    return run(text, end, is_line_end);
  }
  // Only whitespace is left: up to its last line end if it has one.
  const size_t end = run_of(text, at, CharClass::space);
  for (size_t last = end; last > at; --last) {
    if (is_line_end(static_cast<unsigned char>(text[last - 1]))) {
      return last;
    }
  }
  return match_spaces(text, at);
}

size_t match_llama3(std::string_view text, size_t at) { return match_modern(text, at, 3); }
size_t match_qwen2(std::string_view text, size_t at) { return match_modern(text, at, 1); }

size_t match_whitespace(std::string_view text, size_t at) { return run_of(text, at, CharClass::space); }

size_t match_two_spaces(std::string_view text, size_t at) {
  const size_t end = run(text, at, [](char32_t c) { return c == ' '; });
  return end - at >= 2 ? end : at;
}

size_t match_number(std::string_view text, size_t at) {
  size_t end = at;
  return class_of(next_code_point(text, end)) == CharClass::number ? end : at;
}

struct KnownPattern {
  std::string_view regex;
  MatchAt match;
};

constexpr std::array kKnown{
    KnownPattern{R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)", match_gpt2},
    KnownPattern{
        R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
        match_llama3},
    KnownPattern{
        R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
        match_qwen2},
    KnownPattern{R"(\w+|[^\w\s]+)", match_word_or_symbols},
    KnownPattern{R"(\s+)", match_whitespace},
    KnownPattern{" {2,}", match_two_spaces},
    KnownPattern{R"(\p{N})", match_number}};

}  // namespace

size_t match_gpt2(std::string_view text, size_t at) {
  if (const size_t end = match_contraction(text, at, false); end > at) {
    return end;
  }
  size_t word = at;
  size_t next = at;
  CharClass kind = class_of(next_code_point(text, next));
  if (text[at] == ' ' && next < text.size()) {
    word = next;
    kind = class_of(next_code_point(text, next));
  }
  return kind == CharClass::space ? match_spaces(text, at) : run_of(text, word, kind);
}

size_t match_word_or_symbols(std::string_view text, size_t at) {
  if (const size_t end = run(text, at, is_word); end > at) {
    return end;
  }
  return run(text, at, [](char32_t c) { return !is_word(c) && !is_space(c); });
}

MatchAt known_pattern(std::string_view regex) {
  for (const KnownPattern& known : kKnown) {
    if (known.regex == regex) {
      return known.match;
    }
  }
  return nullptr;
}

std::vector<std::string_view> known_patterns() {
  std::vector<std::string_view> all;
  all.reserve(std::size(kKnown));
  for (const KnownPattern& known : kKnown) {
    all.push_back(known.regex);
  }
  return all;
}

void stretches_of(MatchAt match, std::string_view text, Range part, std::vector<Stretch>& out) {
  // What stands outside of the part must not be looked at.
  const std::string_view inside = text.substr(0, part.end);
  size_t begin = part.begin;
  for (size_t at = part.begin; at < part.end;) {
    const size_t end = match(inside, at);
    if (end == at) {
      next_code_point(text, at);
      continue;
    }
    if (begin < at) {
      out.push_back({{begin, at}, false});
    }
    out.push_back({{at, end}, true});
    begin = at = end;
  }
  if (begin < part.end) {
    out.push_back({{begin, part.end}, false});
  }
}

void stretches_of_literal(std::string_view literal,
                          std::string_view text,
                          Range part,
                          std::vector<Stretch>& out) {
  const std::string_view inside = text.substr(0, part.end);
  size_t begin = part.begin;
  for (size_t at = inside.find(literal, begin); at != std::string_view::npos;
       at = inside.find(literal, begin)) {
    if (begin < at) {
      out.push_back({{begin, at}, false});
    }
    begin = at + literal.size();
    out.push_back({{at, begin}, true});
  }
  if (begin < part.end) {
    out.push_back({{begin, part.end}, false});
  }
}

void apply(SplitBehavior behavior, const std::vector<Stretch>& stretches, std::vector<Range>& out) {
  const size_t first = out.size();  // of what this call appends
  bool previous_match = false;
  switch (behavior) {
    case SplitBehavior::removed:
    case SplitBehavior::isolated:
      for (const Stretch& stretch : stretches) {
        if (behavior == SplitBehavior::isolated || !stretch.is_match) {
          out.push_back(stretch.range);
        }
      }
      return;
    case SplitBehavior::contiguous:
    case SplitBehavior::merged_with_previous:
      for (const Stretch& stretch : stretches) {
        const bool joins = behavior == SplitBehavior::contiguous ? stretch.is_match == previous_match
                                                                 : stretch.is_match && !previous_match;
        if (joins && out.size() > first) {
          out.back().end = stretch.range.end;
        } else {
          out.push_back(stretch.range);
        }
        previous_match = stretch.is_match;
      }
      return;
    case SplitBehavior::merged_with_next:
      for (size_t i = 0; i < stretches.size(); ++i) {
        // The last of several matches joins what follows it.
        const bool joins = i > 0 && stretches[i - 1].is_match && !stretches[i].is_match;
        if (joins) {
          out.back().end = stretches[i].range.end;
        } else {
          out.push_back(stretches[i].range);
        }
      }
      return;
  }
}

}  // namespace lmzoo::huggingface
