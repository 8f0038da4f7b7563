#include "train/debug_configs.h"

#include "train/run/assemble.h"

namespace lmzoo::test {

const Registry& registry() {
  static const Registry made = make_registry();
  return made;
}

LoadedConfig debug_config(const std::string& name, const std::vector<std::string>& changes) {
  std::vector<Override> overrides;
  for (const std::string& change : changes) {
    overrides.push_back(parse_override(change));
  }
  return read_run_config("configs/debug/" + name + ".yaml", overrides, registry());
}

Plan debug_plan(const std::string& name, const std::vector<std::string>& changes) {
  return make_plan(debug_config(name, changes), registry(), {.look_at_files = false});
}

}  // namespace lmzoo::test
