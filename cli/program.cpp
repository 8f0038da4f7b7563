// run_program of command.h.
#include <csignal>
#include <exception>

#include "base/check.h"
#include "base/strings.h"
#include "base/utf8.h"
#include "cli/command.h"
#include "cli/failure.h"
#include "cli/flags.h"
#include "cli/version.h"
#include "core/registry.h"
#include "io/mapped_faults.h"

namespace lmzoo {
namespace {

std::string help() {
  std::string text = "lmzoo: language-model pre-training and fine-tuning\n\nUsage: lmzoo COMMAND ...\n\n";
  for (const Command& command : commands()) {
    const std::string name(command.name);
    text += wrapped("  " + name + std::string(name.size() < 12 ? 12 - name.size() : 1, ' ') +
                        std::string(command.summary),
                    14) +
            "\n";
  }
  return text +
         "\n`lmzoo help COMMAND` tells more; `lmzoo --version` tells what this is.\n\nExample:\n"
         "  lmzoo train configs/debug/bert.yaml\n";
}

int dispatch(const Strings& arguments) {
  check(!arguments.empty(), "lmzoo: a command is missing; see lmzoo --help");
  const std::string& name = arguments.front();
  if (name == "--help" || name == "-h" || name == "help") {
    if (arguments.size() > 1) {
      return dispatch({arguments[1], "--help"});
    }
    print(help());
    return 0;
  }
  if (name == "--version" || name == "version") {
    print(version_details());
    return 0;
  }
  Strings known{"--help", "--version"};
  for (const Command& command : commands()) {
    if (command.name == name) {
      return command.run(command, {arguments.begin() + 1, arguments.end()});
    }
    known.emplace_back(command.name);
  }
  throw InputError(
      fmt::format("lmzoo: no command '{}'{}; see lmzoo --help", printable(name), suggestion(name, known)));
}

}  // namespace

int run_program(const Strings& arguments) {
  tell_of_files_that_shrink();
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is an error of writing, not the end of a training run
  tell_what_escapes();
  const ExitGuard guard;
  try {
    return dispatch(arguments);
  } catch (...) {
    return tell(failure_of(std::current_exception()));
  }
}

}  // namespace lmzoo
