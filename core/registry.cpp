#include "core/registry.h"

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
    throw InputError(
        fmt::format("no {} '{}'; known: {}{}", what, name, joined(known), suggestion(name, known)));
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

}  // namespace

const AnyOptions& ModelFamily::preset(const std::string& preset_name) const {
  for (const auto& [known, options] : presets) {
    if (known == preset_name) {
      return options;
    }
  }
  const std::vector<std::string> known = names_of(presets);
  throw InputError(fmt::format("no preset '{}' of model '{}'; known: {}{}",
                               preset_name,
                               name,
                               joined(known),
                               suggestion(preset_name, known)));
}

void Registry::add(ModelFamily family) { insert(models_, std::move(family)); }
void Registry::add(ObjectiveKind objective) { insert(objectives_, std::move(objective)); }

const ModelFamily& Registry::model(const std::string& name) const { return find(models_, name, "model"); }
const ObjectiveKind& Registry::objective(const std::string& name) const {
  return find(objectives_, name, "objective");
}

}  // namespace lmzoo
