#include "train/run/reading.h"

#include <algorithm>

#include "base/check.h"
#include "base/utf8.h"
#include "text/rows.h"

namespace lmzoo {
namespace {

std::string counted(int64_t texts) { return fmt::format("{} {}", texts, texts == 1 ? "text" : "texts"); }

}  // namespace

std::string Reading::text(std::string_view own, size_t column) const {
  return behind_prefix(prefix, column, own);
}

std::vector<std::string> Reading::first_texts(const std::vector<std::string>& own) const {
  std::vector<std::string> all;
  for (const std::string& each : own) {
    all.push_back(text(each));
  }
  return all;
}

std::vector<std::string> Reading::texts(std::string_view line) const {
  const std::vector<std::string_view> cells = split_tabs(line);
  const auto count = std::ssize(cells);
  check(record.texts > 0 ? count == record.texts : count <= 2,
        "this run reads {} a line, {}, but there are {} in '{}'",
        record.texts > 0 ? counted(record.texts) : "one text or two",
        record.texts == 1 ? "without a tab" : "with tabs between",
        count,
        printable(line, 60));
  std::vector<std::string> all;
  for (size_t i = 0; i < cells.size(); ++i) {
    all.push_back(text(cells[i], i));
  }
  return all;
}

Reading::Choices Reading::with_choices(std::string_view line) const {
  const std::vector<std::string_view> cells = split_tabs(line);
  const auto count = static_cast<size_t>(std::max<int64_t>(record.texts, 1));
  check(cells.size() >= count + 2,
        "this run reads {} and at least 2 choices a line, with tabs between, but there are {} in '{}'",
        counted(static_cast<int64_t>(count)),
        cells.size(),
        printable(line, 60));
  Choices all;
  for (size_t i = 0; i < cells.size(); ++i) {
    if (i < count) {
      all.texts.push_back(text(cells[i], i));
    } else {
      all.choices.emplace_back(cells[i]);
    }
  }
  return all;
}

}  // namespace lmzoo
