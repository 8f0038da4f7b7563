#include "core/registry.h"

#include <algorithm>
#include <stdexcept>
#include <vector>

namespace lmzoo {
namespace {

template <class Map>
std::vector<std::string> names_of(const Map& entries) {
  std::vector<std::string> names;
  for (const auto& entry : entries) {
    names.push_back(entry.first);
  }
  return names;
}

template <class Entry>
const Entry& find(const std::map<std::string, Entry>& entries, const std::string& name, const char* what) {
  const auto it = entries.find(name);
  if (it == entries.end()) {
    const std::vector<std::string> known = names_of(entries);
    throw InputError(concat("no ", what, " '", name, "'; known: ", joined(known), suggestion(name, known)));
  }
  return it->second;
}

template <class Entry>
void insert(std::map<std::string, Entry>& entries, Entry entry) {
  const std::string name = entry.name;
  if (!entries.emplace(name, std::move(entry)).second) {
    throw std::logic_error("registered twice: " + name);
  }
}

// Insertions, deletions, substitutions and swaps of neighbors (optimal string alignment).
size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<std::vector<size_t>> cost(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) {
    for (size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        cost[i][j] = i + j;
        continue;
      }
      const size_t substitution = cost[i - 1][j - 1] + (a[i - 1] != b[j - 1] ? 1 : 0);
      cost[i][j] = std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, substitution});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
      }
    }
  }
  return cost[a.size()][b.size()];
}

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

const AnyOptions& ModelFamily::preset(const std::string& preset_name) const {
  for (const auto& [known, options] : presets) {
    if (known == preset_name) {
      return options;
    }
  }
  const std::vector<std::string> known = names_of(presets);
  throw InputError(concat("no preset '",
                          preset_name,
                          "' of model '",
                          name,
                          "'; known: ",
                          joined(known),
                          suggestion(preset_name, known)));
}

void Registry::add(ModelFamily family) { insert(models_, std::move(family)); }
void Registry::add(ObjectiveKind objective) { insert(objectives_, std::move(objective)); }

const ModelFamily& Registry::model(const std::string& name) const { return find(models_, name, "model"); }
const ObjectiveKind& Registry::objective(const std::string& name) const {
  return find(objectives_, name, "objective");
}

std::string suggestion(const std::string& given, const std::vector<std::string>& known) {
  const std::string* best = nullptr;
  size_t best_distance = 0;
  for (const std::string& name : known) {
    const size_t distance = edit_distance(given, name);
    if (best == nullptr || distance < best_distance ||
        (distance == best_distance && shared_ends(given, name) > shared_ends(given, *best))) {
      best = &name;
      best_distance = distance;
    }
  }
  if (best == nullptr || best_distance > std::max<size_t>(1, best->size() / 3)) {
    return "";
  }
  return " (did you mean '" + *best + "'?)";
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    text += (text.empty() ? "" : ", ") + name;
  }
  return text;
}

}  // namespace lmzoo
