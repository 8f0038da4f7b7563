#include "train/run/plan.h"

#include "cli/config_flags.h"

namespace lmzoo {

int run_plan(const Command& self, const Strings& arguments) {
  Flags flags(self);
  add_config_flags(flags);
  flags.toggle("no-data", "check the configuration only: no file that it names is looked at");
  flags.toggle("json", "print JSON");
  if (!flags.parse(arguments)) {
    return 0;
  }
  const Registry registry = make_registry();
  const LoadedConfig loaded = read_config(flags, registry);
  const Plan plan = make_plan(loaded, registry, {.look_at_files = !flags.has("no-data")});
  flags.has("json") ? print(to_json(plan)) : print(to_text(plan));
  return 0;
}

}  // namespace lmzoo
