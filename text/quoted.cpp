#include "text/quoted.h"

#include <algorithm>

namespace lmzoo {
namespace {

constexpr char kMark = '"';

}  // namespace

bool is_quoted(std::string_view cell) {
  if (cell.size() < 2 || cell.front() != kMark || cell.back() != kMark) {
    return false;
  }
  const std::string_view within = cell.substr(1, cell.size() - 2);
  for (size_t at = within.find(kMark); at != std::string_view::npos; at = within.find(kMark, at + 2)) {
    if (at + 1 >= within.size() || within[at + 1] != kMark) {
      return false;
    }
  }
  return true;
}

bool QuotedRow::add(std::string_view line, const Location& where) {
  bool at_start = !inside_;
  if (inside_) {
    cells_.back() += '\n';
  } else {
    cells_.assign(1, "");
    bytes_ = 0;
    had_quotes_ = false;
  }
  bytes_ += line.size() + 1;
  for (size_t at = 0; at < line.size(); ++at) {
    const bool doubled = inside_ && line[at] == kMark && at + 1 < line.size() && line[at + 1] == kMark;
    if (doubled) {
      cells_.back() += kMark;
      ++at;
    } else if (inside_ && line[at] == kMark) {
      inside_ = false;
      if (at + 1 < line.size() && line[at + 1] != '\t') {
        throw InputError(where,
                         "has text behind a cell in quotation marks; a mark within them must be doubled");
      }
    } else if (!inside_ && line[at] == '\t') {
      cells_.emplace_back();
      at_start = true;
      continue;
    } else if (at_start && line[at] == kMark) {
      inside_ = had_quotes_ = true;
    } else {
      cells_.back() += line[at];
    }
    at_start = false;
  }
  return !inside_;
}

}  // namespace lmzoo
