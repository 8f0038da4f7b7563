#include "base/check.h"
#include "base/strings.h"
#include "cli/flags.h"
#include "train/lab/matrix.h"
#include "train/run/assemble.h"
#include "train/run/catalog.h"

namespace lmzoo {
namespace {

std::vector<CatalogKind> all_kinds() {
  std::vector<CatalogKind> kinds = catalog(make_registry());
  CatalogKind& own = kinds.emplace_back(CatalogKind{.name = "commands", .entries = {}});
  for (const Command& command : commands()) {
    own.entries.push_back({std::string(command.name), std::string(command.summary)});
  }
  return kinds;
}

}  // namespace

int run_list(const Command& self, const Strings& arguments) {
  const std::vector<CatalogKind> kinds = all_kinds();
  Strings names;
  for (const CatalogKind& kind : kinds) {
    names.push_back(kind.name);
  }
  Flags flags(self);
  flags.positional("[WHAT]", joined(names) + "; absent: all of them");
  flags.toggle("matrix", "which objectives go with which models, and why not");
  flags.toggle("json", "print JSON");
  if (!flags.parse(arguments)) {
    return 0;
  }
  const std::string what = flags.text("WHAT");
  if (flags.has("matrix")) {
    check(what.empty(), "lmzoo list: --matrix lists objectives and models, and not '{}'", what);
    const std::vector<MatrixCell> cells = objective_matrix(make_registry());
    flags.has("json") ? print(to_json(cells)) : print(to_text(cells));
    return 0;
  }
  check(what.empty() || std::find(names.begin(), names.end(), what) != names.end(),
        "lmzoo list: cannot list '{}'; legal: {}{}",
        what,
        joined(names),
        suggestion(what, names));
  Json all = Json::object();
  std::string text;
  for (const CatalogKind& kind : kinds) {
    if (!what.empty() && what != kind.name) {
      continue;
    }
    Json& entries = all[kind.name] = Json::array();
    text += kind.name + "\n";
    for (const CatalogEntry& entry : kind.entries) {
      entries.push_back({{"name", entry.name}, {"summary", entry.summary}});
      text += "  " + entry.name + std::string(entry.name.size() < 18 ? 18 - entry.name.size() : 1, ' ') +
              entry.summary + "\n";
    }
  }
  flags.has("json") ? print(all) : print(text);
  return 0;
}

}  // namespace lmzoo
