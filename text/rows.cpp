#include "text/rows.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/check.h"
#include "base/strings.h"
#include "base/utf8.h"

namespace lmzoo {
namespace {

std::optional<size_t> column_number(std::string_view name) {
  size_t number = 0;
  const auto [end, fault] = std::from_chars(name.data(), name.data() + name.size(), number);
  const bool whole = fault == std::errc() && end == name.data() + name.size() && number >= 1;
  return whole ? std::optional(number - 1) : std::nullopt;
}

std::vector<std::string> split(std::string_view text, std::string_view separators) {
  std::vector<std::string> parts;
  while (true) {
    const size_t begin = text.find_first_not_of(separators);
    if (begin == std::string_view::npos) {
      return parts;
    }
    text.remove_prefix(begin);
    const size_t end = separators.empty() ? text.size() : text.find_first_of(separators);
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end, text.size()));
  }
}

}  // namespace

// Index of a column that the options name.
size_t TsvColumns::index(const std::string& wanted, const Location& where) const {
  const auto found = std::find(names_.begin(), names_.end(), wanted);
  if (found != names_.end()) {
    if (std::find(found + 1, names_.end(), wanted) != names_.end()) {
      throw InputError(where, fmt::format("the header names column `{}` twice", wanted));
    }
    return found - names_.begin();
  }
  if (const auto number = column_number(wanted)) {
    return *number;
  }
  if (names_.empty()) {
    throw InputError(
        where,
        fmt::format(
            "column `{}` is named, but header is false: set header: true, or number the columns from 1",
            wanted));
  }
  throw InputError(where, fmt::format("has no column `{}`; the header names {}", wanted, joined(names_)));
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

std::string_view cell_of(const std::vector<std::string_view>& cells, size_t column, const Location& where) {
  if (column >= cells.size()) {
    throw InputError(where, fmt::format("has {} columns, but column {} is wanted", cells.size(), column + 1));
  }
  return cells[column];
}

const Json& field_of(const Json& object, const std::string& name, const Location& where) {
  const auto found = object.find(name);
  const size_t dot = name.find('.');
  if (found == object.end() && dot != std::string::npos) {
    if (const auto outer = object.find(name.substr(0, dot)); outer != object.end() && outer->is_object()) {
      return field_of(*outer, name.substr(dot + 1), where);
    }
  }
  if (found == object.end()) {
    std::vector<std::string> known;
    for (const auto& [key, value] : object.items()) {
      known.push_back(printable(key));
    }
    throw InputError(
        where,
        fmt::format("has no field `{}`; its fields are {}", name, known.empty() ? "none" : joined(known)));
  }
  return *found;
}

std::string label_text(const Json& value, const std::string& name, const Location& where) {
  if (value.is_string()) {
    return value.get<std::string>();
  }
  if (value.is_number_integer() || value.is_boolean()) {
    return value.dump();
  }
  throw InputError(
      where, fmt::format("field `{}` is the label: it must be a string, an integer or true/false", name));
}

std::string TsvRow::text(const std::string& column) const {
  return std::string(cell_of(cells_, columns_.index(column, where_), where_));
}

std::vector<std::string> TsvRow::list(const std::string& column, std::string_view separators) const {
  return split(cell_of(cells_, columns_.index(column, where_), where_), separators);
}

std::string JsonRow::text_of(const Json& value, const std::string& column) const {
  if (value.is_number()) {
    return value.dump();
  }
  if (!value.is_string() && !value.is_boolean()) {
    throw InputError(where_, fmt::format("field `{}` is not a string, a number or true/false", column));
  }
  std::string text = value.is_string() ? value.get<std::string>() : value.dump();
  clean_(text);
  return text;
}

std::string JsonRow::text(const std::string& column) const {
  return text_of(field_of(object_, column, where_), column);
}

std::vector<std::string> JsonRow::list(const std::string& column, std::string_view separators) const {
  const Json& value = field_of(object_, column, where_);
  if (value.is_null()) {
    return {};
  }
  if (!value.is_array()) {
    return split(text_of(value, column), separators);
  }
  std::vector<std::string> texts;
  for (const Json& item : value) {
    texts.push_back(text_of(item, column));
  }
  return texts;
}

}  // namespace lmzoo
