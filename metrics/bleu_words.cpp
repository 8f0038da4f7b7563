#include "metrics/bleu_words.h"

#include <stdexcept>

#include "metrics/characters.h"

namespace lmzoo {
namespace {

void replace_all(std::string& text, std::string_view what, std::string_view with) {
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_point(char c) { return c == '.' || c == ','; }

// Punctuation of ASCII but ' , - . stands alone always.
bool stands_alone(char c) {
  return is_ascii_punctuation(static_cast<unsigned char>(c)) && c != '\'' && c != ',' && c != '-' && c != '.';
}

// The substitutions of mteval-v13a, each over the whole text before the next. Two neighbors that matched are
// not looked at again by the same substitution, so that of ". . ." every second one may stay where it is: as
// there.
std::string spaced_13a(const std::string& text) {
  std::string alone, before, after, dashes;
  for (const char c : text) {
    alone += stands_alone(c) ? std::string{' ', c, ' '} : std::string{c};
  }
  for (size_t i = 0; i < alone.size(); ++i) {  // ([^0-9])([.,]) -> "\1 \2 "
    before += alone[i];
    if (!is_digit(alone[i]) && i + 1 < alone.size() && is_point(alone[i + 1])) {
      before += {' ', alone[++i], ' '};
    }
  }
  for (size_t i = 0; i < before.size(); ++i) {  // ([.,])([^0-9]) -> " \1 \2"
    if (is_point(before[i]) && i + 1 < before.size() && !is_digit(before[i + 1])) {
      after += {' ', before[i], ' ', before[i + 1]};
      ++i;
    } else {
      after += before[i];
    }
  }
  for (size_t i = 0; i < after.size(); ++i) {  // ([0-9])(-) -> "\1 \2 "
    dashes += after[i];
    if (is_digit(after[i]) && i + 1 < after.size() && after[i + 1] == '-') {
      dashes += {' ', after[++i], ' '};
    }
  }
  return dashes;
}

std::vector<std::string> words_13a(std::string_view line) {
  std::string text(line);
  replace_all(text, "<skipped>", "");
  replace_all(text, "-\n", "");
  replace_all(text, "\n", " ");
  replace_all(text, "&quot;", "\"");
  replace_all(text, "&amp;", "&");
  replace_all(text, "&lt;", "<");
  replace_all(text, "&gt;", ">");
  return split_words(spaced_13a(" " + text + " "));
}

// mteval-v14: punctuation stands alone unless digits are on both its sides, symbols always.
std::vector<std::string> words_international(std::string_view line) {
  const std::u32string text = decoded(line);
  std::u32string before, after, symbols;
  for (size_t i = 0; i < text.size(); ++i) {  // (\P{N})(\p{P}) -> "\1 \2 "
    before += text[i];
    if (!is_number(text[i]) && i + 1 < text.size() && is_punctuation(text[i + 1])) {
      before += {U' ', text[++i], U' '};
    }
  }
  for (size_t i = 0; i < before.size(); ++i) {  // (\p{P})(\P{N}) -> " \1 \2"
    if (is_punctuation(before[i]) && i + 1 < before.size() && !is_number(before[i + 1])) {
      after += {U' ', before[i], U' ', before[i + 1]};
      ++i;
    } else {
      after += before[i];
    }
  }
  for (const char32_t c : after) {
    symbols += is_symbol(c) ? std::u32string{U' ', c, U' '} : std::u32string{c};
  }
  return split_words(encoded(symbols));
}

std::vector<std::string> words_character(std::string_view line) {
  std::vector<std::string> words;
  for (const char32_t c : decoded(line)) {
    if (!is_white(c)) {
      words.push_back(encoded(std::u32string_view(&c, 1)));
    }
  }
  return words;
}

}  // namespace

std::vector<std::string> bleu_words(std::string_view text, const BleuOptions& options) {
  const std::string lower = options.lowercase ? lower_case(text) : std::string(text);
  const std::string_view line = without_white_end(lower);
  switch (options.tokenizer) {
    case BleuTokenizer::v13a:
      return words_13a(line);
    case BleuTokenizer::international:
      return words_international(line);
    case BleuTokenizer::character:
      return words_character(line);
    case BleuTokenizer::none:
      return split_words(line);
  }
  throw std::logic_error("bleu: no such tokenizer");
}

}  // namespace lmzoo
