#include "text/formats.h"

#include <algorithm>
#include <filesystem>
#include <utility>
#include <vector>

#include "base/strings.h"
#include "base/utf8.h"
#include "io/lines.h"
#include "text/quoted.h"
#include "text/rows.h"

namespace lmzoo {
namespace {

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n\v\f") == std::string_view::npos;
}

int64_t count_words(std::string_view text) {
  int64_t count = 0;
  bool within = false;
  for (const char c : text) {
    const bool is_space = c == ' ' || (c >= '\t' && c <= '\r');
    count += !is_space && !within ? 1 : 0;
    within = !is_space;
  }
  return count;
}

// Reads lines, already cleaned, and tells how far the reading is.
class Lines {
 public:
  Lines(const std::string& path, Intake& intake, std::function<void(uint64_t)> tell)
      : reader_(path, {.max_line_bytes = static_cast<size_t>(intake.options().max_record_bytes)}),
        intake_(intake),
        tell_(std::move(tell)) {}

  bool next(std::string& line) {
    if (!reader_.next(line)) {
      return false;
    }
    intake_.clean(line, reader_.where());
    constexpr int64_t kLinesBetweenReports = 2048;
    if (++count_ % kLinesBetweenReports == 0) {
      tell_(reader_.bytes_read());
    }
    return true;
  }
  Location where() const { return reader_.where(); }

 private:
  LineReader reader_;
  Intake& intake_;
  std::function<void(uint64_t)> tell_;
  int64_t count_ = 0;
};

void refuse_label(const Intake& intake, const char* format) {
  check(!has_columns(intake.options()),
        "columns are named, but files of format {} have none: use jsonl or tsv",
        format);
  check(intake.options().label.empty(),
        "label is `{}`, but files of format {} have no labels: use jsonl or tsv",
        intake.options().label,
        format);
}

void read_lines(Lines& lines, Intake& intake) {
  refuse_label(intake, "lines");
  std::string line;
  while (lines.next(line) && intake.record(line, {}, lines.where())) {
  }
}

void read_paragraphs(Lines& lines, Intake& intake) {
  refuse_label(intake, "paragraphs");
  std::string line, paragraph;
  Location begin;
  while (lines.next(line)) {
    if (is_blank(line)) {
      if (!paragraph.empty() && !intake.record(paragraph, {}, begin)) {
        return;
      }
      paragraph.clear();
      continue;
    }
    if (paragraph.empty()) {
      begin = lines.where();
    } else {
      paragraph += '\n';
    }
    paragraph += line;
    if (static_cast<int64_t>(paragraph.size()) > intake.options().max_record_bytes) {
      throw InputError(
          begin,
          fmt::format("a paragraph of over max_record_bytes = {} bytes", intake.options().max_record_bytes));
    }
  }
  if (!paragraph.empty()) {
    intake.record(paragraph, {}, begin);
  }
}

void read_jsonl(Lines& lines, Intake& intake) {
  const TextOptions& options = intake.options();
  const std::string text_field = options.text.empty() ? "text" : options.text.front();
  const bool many = has_columns(options);
  std::string line;
  while (lines.next(line)) {
    if (is_blank(line)) {
      intake.blank_line();
      continue;
    }
    const Location where = lines.where();
    const Json object = parse_json_line(line, where, {.bytes = line.size(), .depth = 64});
    if (!object.is_object()) {
      throw InputError(where, "is not a JSON object such as {\"" + text_field + "\": \"...\"}");
    }
    if (many) {
      const JsonRow row(object, where, [&](std::string& text) { intake.clean(text, where); });
      if (!intake.record(read_columns(options, text_field, row, where), row, where)) {
        return;
      }
      continue;
    }
    const Json& value = field_of(object, text_field, where);
    if (!value.is_string()) {
      throw InputError(where, "field `" + text_field + "` is not a string");
    }
    auto text = value.get<std::string>();
    intake.clean(text, where);  // \u0000
    std::optional<std::string> label;
    if (!options.label.empty()) {
      label = label_text(field_of(object, options.label, where), options.label, where);
      intake.clean(*label, where);
    }
    if (!intake.record(text, label, where)) {
      return;
    }
  }
}

// The text when the options name none.
std::string first_column(const TextOptions& options) {
  return !options.text.empty() ? options.text.front() : options.header ? "text" : "1";
}

struct Columns {
  size_t text = 0;
  std::optional<size_t> label;
};

Columns find_columns(const TextOptions& options, const TsvColumns& known, const Location& where) {
  Columns columns;
  columns.text = known.index(first_column(options), where);
  if (!options.label.empty()) {
    columns.label = known.index(options.label, where);
  }
  return columns;
}

// The rows of a table, each as its cells.
class TsvRows {
 public:
  TsvRows(Lines& lines, Intake& intake) : lines_(lines), intake_(intake) {}

  // False at the end. Empty cells: a blank line. They are valid until the next call.
  bool next(std::vector<std::string_view>& cells) {
    return intake_.options().quotes == Quotes::csv ? next_quoted(cells) : next_plain(cells);
  }
  const Location& where() const { return where_; }  // where the row begins

 private:
  bool next_plain(std::vector<std::string_view>& cells) {
    if (!lines_.next(line_)) {
      return false;
    }
    where_ = lines_.where();
    cells = is_blank(line_) ? std::vector<std::string_view>{} : split_tabs(line_);
    if (std::ranges::any_of(cells, is_quoted)) {
      intake_.quoted_row();
    }
    return true;
  }

  bool next_quoted(std::vector<std::string_view>& cells) {
    if (!lines_.next(line_)) {
      return false;
    }
    where_ = lines_.where();
    cells.clear();
    if (is_blank(line_)) {
      return true;
    }
    while (!row_.add(line_, lines_.where())) {
      if (static_cast<int64_t>(row_.bytes()) > intake_.options().max_record_bytes || !lines_.next(line_)) {
        throw InputError(where_,
                         fmt::format("a cell in quotation marks begins here and does not end within {} bytes",
                                     row_.bytes()));
      }
    }
    if (row_.had_quotes()) {
      intake_.quoted_row();
    }
    cells.assign(row_.cells().begin(), row_.cells().end());
    return true;
  }

  Lines& lines_;
  Intake& intake_;
  std::string line_;
  QuotedRow row_;
  Location where_;
};

void read_tsv(Lines& lines, Intake& intake) {
  const TextOptions& options = intake.options();
  TsvRows rows(lines, intake);
  std::vector<std::string_view> cells;
  std::vector<std::string> names;
  if (options.header) {
    if (!rows.next(cells)) {
      return;  // an empty file
    }
    for (const std::string_view name : cells) {
      names.push_back(printable(name));
    }
  }
  const TsvColumns known(names);
  const bool many = has_columns(options);
  const Columns columns = many ? Columns{} : find_columns(options, known, lines.where());
  while (rows.next(cells)) {
    if (cells.empty()) {
      intake.blank_line();
      continue;
    }
    const Location& where = rows.where();
    if (!names.empty() && cells.size() > names.size()) {
      throw InputError(
          where, fmt::format("has {} cells, but the header names {} columns", cells.size(), names.size()));
    }
    if (many) {
      const TsvRow row(known, cells, where);
      if (!intake.record(read_columns(options, first_column(options), row, where), row, where)) {
        return;
      }
      continue;
    }
    std::optional<std::string_view> label;
    if (columns.label) {
      label = cell_of(cells, *columns.label, where);
    }
    if (!intake.record(cell_of(cells, columns.text, where), label, where)) {
      return;
    }
  }
}

}  // namespace

void Intake::clean(std::string& text, const Location& where) {
  const int64_t replaced = replace_invalid_utf8(text);
  if (replaced > 0 && options_.invalid_bytes == InvalidBytes::error) {
    throw InputError(
        where,
        fmt::format(
            "has {} invalid UTF-8 sequences or NUL bytes; invalid_bytes: replace would put U+FFFD there",
            replaced));
  }
  counts_.invalid_bytes += replaced;
}

bool Intake::record(const RecordColumns& columns, const Row& row, const Location& where) {
  const std::string text = joined_text(columns);
  columns_ = &columns;
  bool more = true;
  if (options_.label.empty() || !options_.choices.empty()) {
    more = record(text, {}, where);
  } else {
    const std::string label = row.text(options_.label);
    more = record(text, label, where);
  }
  columns_ = nullptr;
  return more;
}

bool Intake::record(std::string_view text, std::optional<std::string_view> label, const Location& where) {
  if (is_blank(text)) {
    ++counts_.blank;
    return true;
  }
  if (label && label->empty()) {
    throw InputError(where, fmt::format("the label, `{}`, is empty", options_.label));
  }
  ++counts_.records;
  counts_.bytes += static_cast<int64_t>(text.size());
  counts_.words += count_words(text);
  more_ = use_(TextRecord{text, label, where.file, where.line, columns_});
  return more_;
}

TextFormat format_of(const TextOptions& options, const std::string& path) {
  if (options.format != TextFormat::automatic) {
    return options.format;
  }
  std::filesystem::path name(path);
  if (lower_ascii(name.extension().string()) == ".gz") {
    name.replace_extension();
  }
  const std::string extension = lower_ascii(name.extension().string());
  if (extension == ".jsonl" || extension == ".ndjson") {
    return TextFormat::jsonl;
  }
  for (const char* other :
       {".json", ".csv"}) {  // they have their own rules, which none of the formats follows
    check(extension != other,
          "{}: {} files are read when `format` says how: jsonl, one object a line; tsv, cells with tabs "
          "between; lines, "
          "every line a text. Others are to be converted",
          path,
          other);
  }
  return extension == ".tsv" ? TextFormat::tsv : TextFormat::lines;
}

namespace {

void check_sentences(const TextOptions& options, TextFormat format) {
  if (options.sentences == SentenceEnds::none) {
    return;
  }
  check(!has_columns(options), "sentences are those of one text, but more columns are named");
  check(
      format != TextFormat::automatic && format != TextFormat::lines,
      "sentences: lines is set, but a document of format lines is one line; use paragraphs, with blank lines "
      "between documents, or jsonl");
}

}  // namespace

void read_file(const std::string& path, Intake& intake, const std::function<void(uint64_t)>& tell) {
  Lines lines(path, intake, tell);
  const TextFormat format = format_of(intake.options(), path);
  check_sentences(intake.options(), format);
  switch (format) {
    case TextFormat::automatic:
    case TextFormat::lines:
      return read_lines(lines, intake);
    case TextFormat::paragraphs:
      return read_paragraphs(lines, intake);
    case TextFormat::jsonl:
      return read_jsonl(lines, intake);
    case TextFormat::tsv:
      return read_tsv(lines, intake);
  }
}

}  // namespace lmzoo
