#include "train/run/catalog.h"

namespace lmzoo {
namespace {

template <class Entries>
CatalogKind kind(const std::string& name, const Entries& entries) {
  CatalogKind made{.name = name, .entries = {}};
  for (const auto& [entry, what] : entries) {
    made.entries.push_back({entry, what.summary});
  }
  return made;
}

CatalogKind presets(const Registry& registry) {
  CatalogKind made{.name = "presets", .entries = {}};
  for (const auto& [name, family] : registry.models()) {
    for (const auto& [preset, options] : family.presets) {
      made.entries.push_back({preset, "model: {type: " + name + ", preset: " + preset + "}"});
    }
  }
  return made;
}

}  // namespace

std::vector<CatalogKind> catalog(const Registry& registry) {
  return {kind("models", registry.models()),
          kind("objectives", registry.objectives()),
          kind("optimizers", registry.optimizers()),
          presets(registry)};
}

}  // namespace lmzoo
