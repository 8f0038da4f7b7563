#include "infer/vectors/word_tests.h"

#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>

#include "base/check.h"
#include "base/utf8.h"
#include "io/lines.h"
#include "text/words/split.h"

namespace lmzoo {
namespace {

constexpr size_t kMaxLineBytes = 1 << 20;

std::vector<std::string> words_of(std::string_view line) {
  WordSplitter words({.lower = false, .punctuation = Punctuation::keep}, line);
  std::vector<std::string> all;
  for (std::string_view word; words.next(word);) {
    all.emplace_back(word);
  }
  return all;
}

// Fields between `separator`s without white space around them; ' ' parts at any run of white space.
std::vector<std::string> fields_of(std::string_view line, char separator) {
  if (separator == ' ') {
    return words_of(line);
  }
  std::vector<std::string> fields;
  for (size_t begin = 0; begin <= line.size();) {
    const size_t end = std::min(line.find(separator, begin), line.size());
    std::string field;
    for (const std::string& word : words_of(line.substr(begin, end - begin))) {
      field += (field.empty() ? "" : " ") + word;
    }
    fields.push_back(field);
    begin = end + 1;
  }
  return fields;
}

char separator_of(std::string_view line) {
  for (const char c : {'\t', ';', ','}) {
    if (line.find(c) != std::string_view::npos) {
      return c;
    }
  }
  return ' ';
}

std::optional<double> number_of(const std::string& field) {
  double value = 0;
  const char* const end = field.data() + field.size();
  const auto [stop, error] = std::from_chars(field.data(), end, value);
  return !field.empty() && error == std::errc{} && stop == end && std::isfinite(value) ? std::optional(value)
                                                                                       : std::nullopt;
}

// The column of the first number behind the words; 0 when there is none.
size_t score_column(const std::vector<std::string>& fields) {
  for (size_t i = 2; i < fields.size(); ++i) {
    if (number_of(fields[i])) {
      return i;
    }
  }
  return 0;
}

}  // namespace

AnalogySet read_analogies(const std::string& path) {
  AnalogySet set;
  LineReader lines(path, {.max_line_bytes = kMaxLineBytes});
  std::string line;
  while (lines.next(line)) {
    replace_invalid_utf8(line);
    const std::vector<std::string> words = words_of(line);
    if (words.empty()) {
      continue;
    }
    if (words.front().starts_with(':')) {
      std::string name = words.front().substr(1);
      for (size_t i = 1; i < words.size(); ++i) {
        name += (name.empty() ? "" : " ") + words[i];
      }
      set.sections.push_back(name);
      continue;
    }
    if (words.size() != 4) {
      throw InputError(
          lines.where(),
          fmt::format("a question has four words, a is to b as c is to d, but here are {}", words.size()));
    }
    if (set.sections.empty()) {
      set.sections.emplace_back("questions");
    }
    set.questions.push_back({{words[0], words[1], words[2], words[3]}, set.sections.size() - 1});
  }
  check(!set.questions.empty(), "{}: has no questions", path);
  return set;
}

std::vector<WordPair> read_word_pairs(const std::string& path) {
  std::vector<WordPair> pairs;
  LineReader lines(path, {.max_line_bytes = kMaxLineBytes});
  std::string line;
  size_t column = 0;
  bool heading_allowed = true;
  while (lines.next(line)) {
    replace_invalid_utf8(line);
    if (line.starts_with('#') || words_of(line).empty()) {
      continue;
    }
    const std::vector<std::string> fields = fields_of(line, separator_of(line));
    column = column > 0 ? column : score_column(fields);
    const std::optional<double> score =
        column > 0 && column < fields.size() ? number_of(fields[column]) : std::nullopt;
    if (score && !fields[0].empty() && !fields[1].empty()) {
      pairs.push_back({fields[0], fields[1], *score});
    } else if (!heading_allowed) {
      throw InputError(lines.where(),
                       fmt::format("expected two words and a number, but got '{}'", printable(line)));
    }
    heading_allowed = false;
  }
  check(!pairs.empty(), "{}: has no pair of words with a score", path);
  return pairs;
}

}  // namespace lmzoo
