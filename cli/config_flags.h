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
  if (std::filesystem::is_directory(given)) {
    const char* const message =
        is_run(given)
            ? "{0} is a run, and a YAML is wanted: its own is {0}/config.yaml (to go on with it: lmzoo "
              "train {0}/config.yaml --out {0} --resume)"
            : "{0} is a folder, and a YAML is wanted";
    throw InputError(fmt::format(fmt::runtime(message), shown));
  }
  return read_run_config(flags.text("CONFIG"), overrides_of(flags), registry);
}

}  // namespace lmzoo
