#include "text/class_order.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>

#include "base/check.h"
#include "base/utf8.h"

namespace lmzoo {
namespace {

constexpr size_t kShown = 60;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\v\f";
  const size_t begin = text.find_first_not_of(kSpace);
  return begin == std::string_view::npos ? std::string_view()
                                         : text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

[[noreturn]] void refuse(const std::string& one, const std::string& other, std::string_view why) {
  throw InputError(fmt::format("the labels '{}' and '{}' are the same {}; write them in one way",
                               printable(one, kShown),
                               printable(other, kShown),
                               why));
}

// InputError when two names have one key.
template <class Key, class KeyOf>
void check_distinct(const std::vector<std::string>& names, KeyOf key_of, std::string_view why) {
  std::map<Key, const std::string*> seen;
  for (const std::string& name : names) {
    const std::optional<Key> key = key_of(name);
    if (!key) {
      continue;
    }
    const auto [it, is_new] = seen.emplace(*key, &name);
    if (!is_new && *it->second != name) {
      refuse(*it->second, name, why);
    }
  }
}

}  // namespace

std::optional<double> number_of(std::string_view label) {
  const std::string_view text = trimmed(label);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size() && !text.empty();
  return whole && std::isfinite(value) ? std::optional(value) : std::nullopt;
}

std::vector<std::string> ordered_classes(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  check_distinct<double>(names, number_of, "number");
  check_distinct<std::string_view>(
      names,
      [](const std::string& name) { return std::optional(trimmed(name)); },
      "text but for white space");
  const auto is_number = [](const std::string& name) { return number_of(name).has_value(); };
  if (std::all_of(names.begin(), names.end(), is_number)) {
    std::sort(names.begin(), names.end(), [](const std::string& a, const std::string& b) {
      return *number_of(a) < *number_of(b);
    });
  }
  return names;
}

}  // namespace lmzoo
