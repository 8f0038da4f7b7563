// The flags that every command on a configuration has.
#pragma once

#include <filesystem>

#include "base/check.h"
#include "base/utf8.h"
#include "cli/flags.h"
#include "train/config/run_config.h"
#include "train/saved/run_files.h"

namespace lmzoo {

inline void add_config_flags(Flags& flags) {
  flags.positional("CONFIG", "a run's YAML");
  flags.repeated(
      "set", "KEY=VALUE", "override a key of the YAML, as in --set train.steps=100; may be repeated");
}

inline std::vector<Override> overrides_of(const Flags& flags) {
  std::vector<Override> overrides;
  for (const std::string& argument : flags.all("set")) {
    overrides.push_back(parse_override(argument));
  }
  return overrides;
}

inline LoadedConfig read_config(const Flags& flags, const Registry& registry) {
  const std::string given = flags.text("CONFIG"), shown = printable(given);
  check(!std::filesystem::is_directory(given),
        is_run(given)
            ? fmt::format("{0} is a run, and a YAML is wanted: its own is {0}/config.yaml (to go on with it: "
                          "lmzoo train {0}/config.yaml --out {0} --resume)",
                          shown)
            : fmt::format("{} is a folder, and a YAML is wanted", shown));
  return read_run_config(flags.text("CONFIG"), overrides_of(flags), registry);
}

}  // namespace lmzoo
