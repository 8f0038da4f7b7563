// read_columns() of text_rows.h.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/check.h"
#include "base/utf8.h"
#include "text/rows.h"

namespace lmzoo {
namespace {

constexpr std::string_view kSpaces = " \t\r\n\v\f";

class Reader {
 public:
  Reader(const TextOptions& options, const Row& row, const Location& where)
      : options_(options), row_(row), where_(where) {}

  std::vector<std::string> texts(const std::string& first) const {
    const OneOrMore columns = options_.text.empty() ? OneOrMore(first) : options_.text;
    std::vector<std::string> all;
    for (size_t i = 0; i < columns.size(); ++i) {
      all.push_back(behind_prefix(options_.prefix, i, row_.text(columns[i])));
    }
    return all;
  }

  // Words and their tags.
  void tagged(const std::string& first, RecordColumns& columns) const {
    const std::string& column = options_.text.empty() ? first : options_.text.front();
    columns.words = row_.list(column, kSpaces);
    columns.tags = row_.list(options_.tags, kSpaces);
    require(columns.words.size() == columns.tags.size(),
            fmt::format("has {} words (`{}`) but {} tags (`{}`)",
                        columns.words.size(),
                        column,
                        columns.tags.size(),
                        options_.tags));
  }

  double number() const {
    const std::string text = row_.text(options_.value);
    double value = 0;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
    require(fault == std::errc() && end == text.data() + text.size() && std::isfinite(value),
            fmt::format("`{}` is '{}' but must be a number", options_.value, printable(text)));
    return value;
  }

  std::vector<std::string> choices() const {
    std::vector<std::string> all;
    if (options_.choices.size() == 1) {
      all = row_.list(options_.choices.front(), "");
    } else {
      for (const std::string& column : options_.choices) {
        all.push_back(row_.text(column));
      }
    }
    require(all.size() >= 2, fmt::format("has {} choices but must have at least 2", all.size()));
    return all;
  }

  // Which of the choices is right: a number from 0, a letter from A, or the text of a choice.
  int64_t right_choice(const std::vector<std::string>& choices) const {
    const std::string text = row_.text(options_.label);
    const auto count = static_cast<int64_t>(choices.size());
    int64_t index = -1;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), index);
    if (fault != std::errc() || end != text.data() + text.size()) {
      const auto found = std::find(choices.begin(), choices.end(), text);
      index = found != choices.end() ? found - choices.begin() : text.size() == 1 ? text[0] - 'A' : -1;
    }
    require(index >= 0 && index < count,
            fmt::format("`{}` is '{}' but must tell which of {} choices is right: counted from 0, as a "
                        "letter from A, or its text",
                        options_.label,
                        printable(text),
                        count));
    return index;
  }

  std::vector<ByteSpan> answers(const std::string& passage) const {
    const std::vector<std::string> texts = row_.list(options_.answer, "");
    std::vector<std::string> starts;
    if (!options_.answer_start.empty()) {
      starts = row_.list(options_.answer_start, kSpaces);
      require(starts.size() >= texts.size(),
              fmt::format("has {} answers but {} places where they begin", texts.size(), starts.size()));
    }
    std::vector<ByteSpan> spans;
    for (size_t i = 0; i < texts.size(); ++i) {
      const size_t begin = starts.empty() ? passage.find(texts[i]) : byte_of(passage, starts[i]);
      require(begin != std::string::npos && passage.compare(begin, texts[i].size(), texts[i]) == 0,
              fmt::format("answer '{}' does not stand in the text{}",
                          printable(texts[i]),
                          starts.empty() ? "" : " at character " + printable(starts[i])));
      if (!texts[i].empty()) {
        spans.push_back({static_cast<int64_t>(begin), static_cast<int64_t>(begin + texts[i].size())});
      }
    }
    return spans;
  }

 private:
  void require(bool holds, const std::string& message) const {
    if (!holds) {
      throw InputError(where_, message);
    }
  }

  // The byte where a character begins; npos beyond the end.
  size_t byte_of(const std::string& text, const std::string& character) const {
    int64_t left = -1;
    const auto [end, fault] = std::from_chars(character.data(), character.data() + character.size(), left);
    require(
        fault == std::errc() && end == character.data() + character.size() && left >= 0,
        fmt::format("`{}` is '{}' but must be a whole number", options_.answer_start, printable(character)));
    size_t at = 0;
    for (; left > 0 && at < text.size(); --left) {
      at += static_cast<size_t>(code_point_at(text, at).length);
    }
    return left == 0 ? at : std::string::npos;
  }

  const TextOptions& options_;
  const Row& row_;
  const Location& where_;
};

}  // namespace

RecordColumns read_columns(const TextOptions& options,
                           const std::string& first,
                           const Row& row,
                           const Location& where) {
  const Reader reader(options, row, where);
  RecordColumns columns;
  if (!options.tags.empty()) {
    reader.tagged(first, columns);
  } else {
    columns.texts = reader.texts(first);
  }
  if (!options.labels.empty()) {
    columns.labels = row.list(options.labels, ",");
  }
  if (!options.value.empty()) {
    columns.value = reader.number();
  }
  if (!options.choices.empty()) {
    columns.choices = reader.choices();
    if (!options.label.empty()) {
      columns.choice = reader.right_choice(columns.choices);
    }
  }
  if (!options.answer.empty()) {
    columns.has_answer = true;
    columns.answers = reader.answers(columns.texts.back());
  }
  if (!options.target.empty()) {
    columns.target = row.text(options.target);
  }
  return columns;
}

std::string behind_prefix(const std::vector<std::string>& prefix, size_t column, std::string_view text) {
  return (column < prefix.size() ? prefix[column] : "") + std::string(text);
}

std::string joined_text(const RecordColumns& columns) {
  std::string all;
  const auto add = [&](const std::string& text, char separator) {
    if (!all.empty()) {
      all += separator;
    }
    all += text;
  };
  for (const std::string& text : columns.texts) {
    add(text, '\n');
  }
  for (const std::string& word : columns.words) {
    add(word, ' ');
  }
  for (const std::string& text : columns.choices) {
    add(text, '\n');
  }
  if (!columns.target.empty()) {
    add(columns.target, '\n');
  }
  return all;
}

}  // namespace lmzoo
