// The flags that every command on a configuration has.
#pragma once

#include "cli/flags.h"
#include "train/config/run_config.h"

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
  return read_run_config(flags.text("CONFIG"), overrides_of(flags), registry);
}

}  // namespace lmzoo
