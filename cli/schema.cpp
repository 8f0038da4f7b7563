#include "cli/flags.h"
#include "io/files.h"
#include "train/run/assemble.h"

namespace lmzoo {

int run_schema(const Command& self, const Strings& arguments) {
  Flags flags(self);
  flags.value("out", "FILE", "write it there; default: standard output");
  if (!flags.parse(arguments)) {
    return 0;
  }
  const Json schema = run_config_schema(make_registry());
  flags.has("out") ? write_atomically(flags.text("out"), schema.dump(2) + "\n") : print(schema);
  return 0;
}

}  // namespace lmzoo
