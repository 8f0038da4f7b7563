// The command table. A command is one file cli/<name>.cpp with one function, declared and listed in
// commands.cpp.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lmzoo {

using Strings = std::vector<std::string>;

struct Command {
  std::string_view name;
  std::string_view arguments;  // "CONFIG [--set a.b=v ...]", for the usage line
  std::string_view summary;    // one line
  std::string_view example;    // a whole command line that works
  int (*run)(const Command& self, const Strings& arguments);  // returns the exit code; errors are thrown
};

// In the order in which --help shows them.
std::span<const Command> commands();

// The whole program: dispatch, and exceptions to one line and an exit code: 2 when the input was wrong, 128 +
// signal when one ended the work, 1 for anything else.
int run_program(const Strings& arguments);

}  // namespace lmzoo
