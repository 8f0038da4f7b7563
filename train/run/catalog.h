// What can be written in a YAML, by kind.
#pragma once

#include <string>
#include <vector>

#include "core/registry.h"

namespace lmzoo {

struct CatalogEntry {
  std::string name, summary;
};
struct CatalogKind {
  std::string name;  // models, objectives, optimizers, presets
  std::vector<CatalogEntry> entries;
};
std::vector<CatalogKind> catalog(const Registry& registry);

}  // namespace lmzoo
