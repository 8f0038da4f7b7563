#include "cli/command.h"
#include "core/cpu_setup.h"

int main(int argc, char** argv) {
  // A question about the program itself is answered at once.
  if (argc > 1 && argv[1][0] != '-') {
    lmzoo::limit_spinning(argv);
  }
  return lmzoo::run_program({argv + 1, argv + argc});
}
