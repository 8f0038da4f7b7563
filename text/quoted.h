// Cells between quotation marks, as CSV writers put those that hold a separator, a mark or the end of a line (RFC 4180,
// section 2: a mark within is doubled):
//   a<TAB>"b ""c""<TAB>d"   is   a | b "c"<TAB>d
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace lmzoo {

// Whether the whole cell is of that form.
bool is_quoted(std::string_view cell);

// A row whose cells have tabs between them, which may go on in the next line within marks.
class QuotedRow {
 public:
  // Takes the next line of the row; true: the row ends with it, and the next call begins another. What follows a closing
  // mark other than a tab is an InputError at `where`.
  bool add(std::string_view line, const Location& where);

  // Of the row that has ended. Valid until the next call of add().
  const std::vector<std::string>& cells() const { return cells_; }
  bool had_quotes() const { return had_quotes_; }
  size_t bytes() const { return bytes_; }  // so far
  bool is_open() const { return inside_; }

 private:
  std::vector<std::string> cells_;
  size_t bytes_ = 0;
  bool inside_ = false;  // the marks of a cell
  bool had_quotes_ = false;
};

}  // namespace lmzoo
