#include "base/check.h"
#include "cli/flags.h"
#include "train/run/assemble.h"

namespace lmzoo {
namespace {

// What can be listed, as (name, summary).
Json listing(const std::string& what, const Registry& registry) {
  Json all = Json::array();
  const auto add = [&](std::string_view name, std::string_view summary) {
    all.push_back({{"name", name}, {"summary", summary}});
  };
  if (what == "models") {
    for (const auto& [name, family] : registry.models()) {
      add(name, family.summary);
    }
  } else if (what == "objectives") {
    for (const auto& [name, objective] : registry.objectives()) {
      add(name, objective.summary);
    }
  } else if (what == "presets") {
    for (const auto& [name, family] : registry.models()) {
      for (const auto& [preset, options] : family.presets) {
        add(preset, "model: {type: " + name + ", preset: " + preset + "}");
      }
    }
  } else {
    for (const Command& command : commands()) {
      add(command.name, command.summary);
    }
  }
  return all;
}

}  // namespace

int run_list(const Command& self, const Strings& arguments) {
  static const Strings kinds{"models", "objectives", "presets", "commands"};
  Flags flags(self);
  flags.positional("[WHAT]", joined(kinds) + "; absent: all of them");
  flags.toggle("json", "print JSON");
  if (!flags.parse(arguments)) {
    return 0;
  }
  const std::string what = flags.text("WHAT");
  check(what.empty() || std::find(kinds.begin(), kinds.end(), what) != kinds.end(),
        "lmzoo list: cannot list '{}'; legal: {}{}",
        what,
        joined(kinds),
        suggestion(what, kinds));
  const Registry registry = make_registry();
  Json all = Json::object();
  std::string text;
  for (const std::string& kind : kinds) {
    if (!what.empty() && what != kind) {
      continue;
    }
    all[kind] = listing(kind, registry);
    text += kind + "\n";
    for (const Json& entry : all[kind]) {
      const auto name = entry["name"].get<std::string>();
      text += "  " + name + std::string(name.size() < 18 ? 18 - name.size() : 1, ' ') +
              entry["summary"].get<std::string>() + "\n";
    }
  }
  flags.has("json") ? print(all) : print(text);
  return 0;
}

}  // namespace lmzoo
