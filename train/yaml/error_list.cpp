// ErrorList of bind.h.
#include <algorithm>
#include <tuple>

#include "base/check.h"
#include "train/yaml/bind.h"

namespace lmzoo {
namespace {

// More would fill a screen, and often follow from the first ones.
constexpr size_t kMostErrors = 20;

std::string section_of(const std::string& key) { return key.substr(0, key.find('.')); }

}  // namespace

bool ErrorList::is_full() const { return errors_.size() == kMostErrors; }

void ErrorList::add_untold(const std::string& key) {
  sections_.insert(section_of(key));
  ++more_;
}

void ErrorList::add(const std::string& key, const InputError& error) {
  if (is_full()) {
    add_untold(key);
    return;
  }
  sections_.insert(section_of(key));
  errors_.push_back({error.where(), error.what(), std::current_exception()});
}

bool ErrorList::is_sound(const std::string& key) const {
  return !sections_.contains("") && !sections_.contains(section_of(key));
}

void ErrorList::throw_if_any() const {
  if (errors_.empty()) {
    return;
  }
  std::vector<Found> sorted = errors_;
  std::stable_sort(sorted.begin(), sorted.end(), [](const Found& a, const Found& b) {
    return std::tie(a.where.file, a.where.line, a.where.column) <
           std::tie(b.where.file, b.where.line, b.where.column);
  });
  if (sorted.size() == 1 && more_ == 0) {
    std::rethrow_exception(sorted.front().thrown);
  }
  std::string lines;
  for (const Found& found : sorted) {
    lines += (lines.empty() ? "" : "\n") + found.line;
  }
  throw ConfigErrors(more_ == 0 ? lines : lines + fmt::format("\nand {} more", more_));
}

}  // namespace lmzoo
