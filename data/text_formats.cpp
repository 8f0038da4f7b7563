#include "data/text_formats.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <utility>
#include <vector>

#include "core/registry.h"
#include "io/json.h"
#include "io/lines.h"
#include "io/utf8.h"

namespace lmzoo {
namespace {

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n\v\f") == std::string_view::npos;
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
  check(intake.options().label.empty(),
        "label is `",
        intake.options().label,
        "`, but files of format ",
        format,
        " have no labels: use jsonl or tsv");
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
          concat("a paragraph of over max_record_bytes = ", intake.options().max_record_bytes, " bytes"));
    }
  }
  if (!paragraph.empty()) {
    intake.record(paragraph, {}, begin);
  }
}

const Json& field_of(const Json& object, const std::string& name, const Location& where) {
  const auto found = object.find(name);
  if (found == object.end()) {
    std::vector<std::string> known;
    for (const auto& [key, value] : object.items()) {
      known.push_back(printable(key));
    }
    throw InputError(
        where, concat("has no field `", name, "`; its fields are ", known.empty() ? "none" : joined(known)));
  }
  return *found;
}

// A class may be written as a string, a number or a truth value.
std::string label_text(const Json& value, const std::string& name, const Location& where) {
  if (value.is_string()) {
    return value.get<std::string>();
  }
  if (value.is_number_integer() || value.is_boolean()) {
    return value.dump();
  }
  throw InputError(where,
                   concat("field `", name, "` is the label: it must be a string, an integer or true/false"));
}

void read_jsonl(Lines& lines, Intake& intake) {
  const TextOptions& options = intake.options();
  const std::string text_field = options.text.empty() ? "text" : options.text;
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

std::vector<std::string_view> split_tabs(std::string_view line) {
  std::vector<std::string_view> cells;
  for (size_t at = 0;;) {
    const size_t tab = line.find('\t', at);
    cells.push_back(line.substr(at, tab - at));
    if (tab == std::string_view::npos) {
      return cells;
    }
    at = tab + 1;
  }
}

std::optional<size_t> column_number(std::string_view name) {
  size_t number = 0;
  const auto [end, fault] = std::from_chars(name.data(), name.data() + name.size(), number);
  const bool whole = fault == std::errc() && end == name.data() + name.size() && number >= 1;
  return whole ? std::optional(number - 1) : std::nullopt;
}

// Index of a column that the options name. `names` is empty without a header.
size_t column_of(const std::string& wanted, const std::vector<std::string>& names, const Location& where) {
  const auto found = std::find(names.begin(), names.end(), wanted);
  if (found != names.end()) {
    if (std::find(found + 1, names.end(), wanted) != names.end()) {
      throw InputError(where, concat("the header names column `", wanted, "` twice"));
    }
    return found - names.begin();
  }
  if (const auto number = column_number(wanted)) {
    return *number;
  }
  if (names.empty()) {
    throw InputError(where,
                     concat("column `",
                            wanted,
                            "` is named, but header is false: set header: true, or number the "
                            "columns from 1"));
  }
  throw InputError(where, concat("has no column `", wanted, "`; the header names ", joined(names)));
}

struct Columns {
  size_t text = 0;
  std::optional<size_t> label;
};

Columns find_columns(const TextOptions& options,
                     const std::vector<std::string>& names,
                     const Location& where) {
  Columns columns;
  if (!options.text.empty()) {
    columns.text = column_of(options.text, names, where);
  } else if (options.header) {
    columns.text = column_of("text", names, where);
  }
  if (!options.label.empty()) {
    columns.label = column_of(options.label, names, where);
  }
  return columns;
}

std::string_view cell_of(const std::vector<std::string_view>& cells, size_t column, const Location& where) {
  if (column >= cells.size()) {
    throw InputError(where, concat("has ", cells.size(), " columns, but column ", column + 1, " is wanted"));
  }
  return cells[column];
}

void read_tsv(Lines& lines, Intake& intake) {
  std::string line;
  std::vector<std::string> names;
  if (intake.options().header) {
    if (!lines.next(line)) {
      return;  // an empty file
    }
    for (const std::string_view name : split_tabs(line)) {
      names.push_back(printable(name));
    }
  }
  const Columns columns = find_columns(intake.options(), names, lines.where());
  while (lines.next(line)) {
    if (is_blank(line)) {
      intake.blank_line();
      continue;
    }
    const Location where = lines.where();
    const auto cells = split_tabs(line);
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
        concat("has ",
               replaced,
               " invalid UTF-8 sequences or NUL bytes; invalid_bytes: replace would put U+FFFD there"));
  }
  counts_.invalid_bytes += replaced;
}

bool Intake::record(std::string_view text, std::optional<std::string_view> label, const Location& where) {
  if (is_blank(text)) {
    ++counts_.blank;
    return true;
  }
  if (label && label->empty()) {
    throw InputError(where, concat("the label, `", options_.label, "`, is empty"));
  }
  ++counts_.records;
  counts_.bytes += static_cast<int64_t>(text.size());
  more_ = use_(TextRecord{text, label, where.file, where.line});
  return more_;
}

TextFormat format_of(const TextOptions& options, const std::string& path) {
  if (options.format != TextFormat::automatic) {
    return options.format;
  }
  std::filesystem::path name(path);
  if (name.extension() == ".gz") {
    name.replace_extension();
  }
  const std::string extension = name.extension().string();
  if (extension == ".jsonl" || extension == ".ndjson") {
    return TextFormat::jsonl;
  }
  return extension == ".tsv" ? TextFormat::tsv : TextFormat::lines;
}

void read_file(const std::string& path, Intake& intake, const std::function<void(uint64_t)>& tell) {
  Lines lines(path, intake, tell);
  switch (format_of(intake.options(), path)) {
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
