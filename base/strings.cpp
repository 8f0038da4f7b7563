#include "base/strings.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace lmzoo {
namespace {

// Longer words are no slips of the pen, and comparing two takes the product of their lengths.
constexpr size_t kLongestCompared = 100;
// Comparisons of letters for one suggestion: some ten milliseconds.
constexpr size_t kMostComparisons = 10'000'000;

// Insertions, deletions, substitutions and swaps of neighbors (optimal string alignment), by three rows of the table.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> above_it(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
  for (size_t i = 0; i <= a.size(); ++i) {
    for (size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        row[j] = i + j;
        continue;
      }
      const size_t substitution = above[j - 1] + (a[i - 1] != b[j - 1] ? 1 : 0);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, substitution});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], above_it[j - 2] + 1);
      }
    }
    std::swap(above_it, above);
    std::swap(above, row);
  }
  return above[b.size()];
}

// How far a name may be from what was given to be suggested.
size_t near_enough(std::string_view name) { return std::max<size_t>(1, name.size() / 3); }

// Letters that both begin and both end with: among equally distant names the one to prefer, as `labels` and
// not `label` for `labes`.
size_t shared_ends(std::string_view a, std::string_view b) {
  const size_t shorter = std::min(a.size(), b.size());
  size_t front = 0, back = 0;
  while (front < shorter && a[front] == b[front]) {
    ++front;
  }
  while (back < shorter - front && a[a.size() - 1 - back] == b[b.size() - 1 - back]) {
    ++back;
  }
  return front + back;
}

}  // namespace

std::string suggestion(const std::string& given, const std::vector<std::string>& known) {
  if (given.size() > kLongestCompared) {
    return "";
  }
  const std::string* best = nullptr;
  size_t best_distance = 0;
  size_t comparisons = 0;
  for (const std::string& name : known) {
    const size_t difference = std::max(given.size(), name.size()) - std::min(given.size(), name.size());
    if (name.size() > kLongestCompared || difference > near_enough(name)) {
      continue;
    }
    comparisons += (given.size() + 1) * (name.size() + 1);
    if (comparisons > kMostComparisons) {
      return "";
    }
    const size_t distance = edit_distance(given, name);
    // Letters that changed places are likelier than one too many.
    const auto is_closer = [&] {
      const bool same = std::ranges::is_permutation(given, name),
                 best_same = std::ranges::is_permutation(given, *best);
      return same != best_same ? same : shared_ends(given, name) > shared_ends(given, *best);
    };
    if (best == nullptr || distance < best_distance || (distance == best_distance && is_closer())) {
      best = &name;
      best_distance = distance;
    }
  }
  if (best == nullptr || best_distance > near_enough(*best)) {
    return "";
  }
  return " (did you mean '" + *best + "'?)";
}

std::string lower_ascii(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return lower;
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    text += (text.empty() ? "" : ", ") + name;
  }
  return text;
}

std::string grouped(int64_t number) {
  std::string digits = std::to_string(number);
  for (auto at = static_cast<int64_t>(digits.size()) - 3; at > (number < 0 ? 1 : 0); at -= 3) {
    digits.insert(static_cast<size_t>(at), ",");
  }
  return digits;
}

}  // namespace lmzoo
