#include "train/run/doctor.h"

#include <algorithm>

#include "base/check.h"
#include "cli/flags.h"
#include "train/run/assemble.h"

namespace lmzoo {

int run_doctor(const Command& self, const Strings& arguments) {
  Flags flags(self);
  flags.positional("PATH", "a run folder, a checkpoint folder or a token store");
  flags.toggle("json", "print JSON");
  if (!flags.parse(arguments)) {
    return 0;
  }
  const std::vector<Examined> files = examine(flags.text("PATH"), make_registry());
  flags.has("json") ? print(to_json(files)) : print(to_text(files));
  const auto damaged =
      std::ranges::count_if(files, [](const Examined& file) { return !file.damage.empty(); });
  check(damaged == 0, "{}: {} of {} files are damaged", flags.text("PATH"), damaged, files.size());
  return 0;
}

}  // namespace lmzoo
