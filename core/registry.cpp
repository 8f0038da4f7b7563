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

// Whether an option may be one of this kind.
bool may_be_held(const ModelFamily&) { return true; }
bool may_be_held(const ObjectiveKind& objective) { return !objective.holds_objective; }

template <class Entry>
std::vector<std::string> names_to_hold(const std::map<std::string, Entry>& entries) {
  std::vector<std::string> names;
  for (const auto& [name, entry] : entries) {
    if (may_be_held(entry)) {
      names.push_back(name);
    }
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

Registry::Registry() : tables_(std::make_shared<Tables>()) {}

void Registry::add(ModelFamily family) { insert(tables_->models, std::move(family)); }
void Registry::add(ObjectiveKind objective) { insert(tables_->objectives, std::move(objective)); }
void Registry::add(OptimizerRule rule) { insert(tables_->optimizers, std::move(rule)); }

const ModelFamily& Registry::model(const std::string& name) const {
  return find(tables_->models, name, "model");
}
const ObjectiveKind& Registry::objective(const std::string& name) const {
  return find(tables_->objectives, name, "objective");
}
const OptimizerRule& Registry::optimizer(const std::string& name) const {
  return find(tables_->optimizers, name, "optimizer");
}

namespace {

// Tables hold options that may hold choices: those must not keep the tables alive.
template <class Tables, class Entries>
NestedChoice nested(const std::shared_ptr<Tables>& tables,
                    Entries Tables::*entries,
                    const char* what,
                    const std::string& type) {
  const std::weak_ptr<Tables> weak = tables;
  const auto there = [weak] {
    const auto strong = weak.lock();
    if (!strong) {
      throw std::logic_error("a nested choice has outlived its registry");
    }
    return strong;
  };
  auto kinds = std::make_shared<NestedChoice::Kinds>();
  kinds->names = [there, entries] { return names_to_hold(there().get()->*entries); };
  kinds->defaults = [there, entries, what](const std::string& name) {
    return find(there().get()->*entries, name, what).defaults;
  };
  return {std::move(kinds), type};
}

}  // namespace

NestedChoice Registry::nested_model(const std::string& type) const {
  return nested(tables_, &Tables::models, "model", type);
}
NestedChoice Registry::nested_objective(const std::string& type) const {
  return nested(tables_, &Tables::objectives, "objective", type);
}

}  // namespace lmzoo
