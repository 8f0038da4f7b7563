// A record of a table as cells by the names of their columns, whether it came as a line of TSV or of JSON.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "io/json.h"
#include "text/source.h"

namespace lmzoo {

// Where a column stands: by the header's names, or by its number from 1.
class TsvColumns {
 public:
  explicit TsvColumns(std::vector<std::string> names = {}) : names_(std::move(names)) {}

  size_t index(const std::string& column, const Location& where) const;

 private:
  std::vector<std::string> names_;  // empty without a header
};

std::vector<std::string_view> split_tabs(std::string_view line);
std::string_view cell_of(const std::vector<std::string_view>& cells, size_t column, const Location& where);

// A field of a JSON object; where there is none of that name, `a.b` is field b of field a.
const Json& field_of(const Json& object, const std::string& name, const Location& where);
// A class may be written as a string, a number or a truth value.
std::string label_text(const Json& value, const std::string& name, const Location& where);

class Row {
 public:
  virtual ~Row() = default;

  // The one text in a cell; of a number or a truth value as it is written.
  virtual std::string text(const std::string& column) const = 0;
  // The texts in a cell: a JSON list, or what stands between any of `separators`; empty ones are left out.
  virtual std::vector<std::string> list(const std::string& column, std::string_view separators) const = 0;
};

class TsvRow final : public Row {
 public:
  TsvRow(const TsvColumns& columns, const std::vector<std::string_view>& cells, const Location& where)
      : columns_(columns), cells_(cells), where_(where) {}

  std::string text(const std::string& column) const override;
  std::vector<std::string> list(const std::string& column, std::string_view separators) const override;

 private:
  const TsvColumns& columns_;
  const std::vector<std::string_view>& cells_;
  const Location& where_;
};

class JsonRow final : public Row {
 public:
  // `clean` repairs a text that came out of an escape.
  JsonRow(const Json& object, const Location& where, std::function<void(std::string&)> clean)
      : object_(object), where_(where), clean_(std::move(clean)) {}

  std::string text(const std::string& column) const override;
  std::vector<std::string> list(const std::string& column, std::string_view separators) const override;

 private:
  std::string text_of(const Json& value, const std::string& column) const;

  const Json& object_;
  const Location& where_;
  std::function<void(std::string&)> clean_;
};

// What the options name, of one row. An InputError has the row's place. `first` is the column of the text
// when the options name none.
RecordColumns read_columns(const TextOptions& options,
                           const std::string& first,
                           const Row& row,
                           const Location& where);

// A text behind what is written before the texts of its column (TextOptions::prefix).
std::string behind_prefix(const std::vector<std::string>& prefix, size_t column, std::string_view text);

// All texts of a record, each on a line.
std::string joined_text(const RecordColumns& columns);

}  // namespace lmzoo
