#include "infer/report/inspect.h"

#include <stdexcept>

#include <sys/ioctl.h>
#include <unistd.h>

#include "base/check.h"
#include "cli/config_flags.h"
#include "cli/query_flags.h"
#include "infer/report/verify.h"
#include "io/files.h"
#include "train/loop/stop_signal.h"

namespace lmzoo {
namespace {

size_t terminal_columns() {
  winsize size{};
  return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 40 ? size.ws_col : 100;
}

int run_verify(const Flags& flags, const LoadedConfig& loaded, const Registry& registry) {
  const Verification made =
      verify_objective(loaded, registry, flags.integer("tokens", 1'000'000, between(1, 10'000'000'000)));
  flags.has("json") ? print(to_json(made)) : print(to_text(made));
  if (!made.holds()) {
    throw std::logic_error(made.objective + " breaks what it promises of its examples");
  }
  return 0;
}

}  // namespace

int inspect_contextual(const Flags& flags);  // inspect_contextual.cpp

int run_inspect(const Command& self, const Strings& arguments) {
  Flags flags(self);
  add_config_flags(flags);
  flags.value("count,n", "N", "how many examples; default 3");
  flags.value("html", "FILE", "write a page instead");
  flags.toggle("verify", "count what the objective promises of its draws instead: shares, lengths, places");
  flags.value("tokens", "N", "with --verify: of the training text; default 1000000");
  flags.toggle("json", "print JSON");
  flags.value(
      "contextual", "WORD", "CONFIG is a run: show WORD's vectors in the sentences of --text or --file");
  add_prompt_flags(flags);
  flags.value("layer", "L", "with --contextual: of this layer; default: the last");
  if (!flags.parse(arguments)) {
    return 0;
  }
  if (flags.has("contextual")) {
    check(!flags.has("set") && !flags.has("count"), "--set and --count do not go with --contextual");
    return inspect_contextual(flags);
  }
  check(!flags.has("text") && !flags.has("file") && !flags.has("layer"),
        "--text, --file and --layer go with --contextual");
  const StopSignal signals;
  const Registry registry = make_registry();
  const LoadedConfig loaded = read_config(flags, registry);
  if (flags.has("verify")) {
    check(!flags.has("count") && !flags.has("html"), "--count and --html do not go with --verify");
    return run_verify(flags, loaded, registry);
  }
  check(!flags.has("tokens"), "--tokens goes with --verify");
  const auto examples = inspect_examples(loaded, registry, flags.integer("count", 3, between(1, 10'000)));
  if (flags.has("html")) {
    write_atomically(flags.text("html"),
                     to_html(examples, loaded.config.name + ": examples of " + loaded.config.objective.type));
    return 0;
  }
  if (flags.has("json")) {
    Json all = Json::array();
    for (const InspectedExample& example : examples) {
      all.push_back(to_json(example));
    }
    print(all);
    return 0;
  }
  for (const InspectedExample& example : examples) {
    print_styled(to_terminal(example, isatty(STDOUT_FILENO) != 0, terminal_columns()));
  }
  return 0;
}

}  // namespace lmzoo
