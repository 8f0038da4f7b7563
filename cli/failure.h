// What went wrong, for people and for scripts: whatever is thrown, here or by a library, becomes one line (several
// mistakes of one file: a line each) and an exit code.
#pragma once

#include <exception>
#include <string>
#include <vector>

namespace lmzoo {

struct Failure {
  std::vector<std::string> lines;
  int code =
      1;  // 2: the input or the environment (memory, threads, files); 1: a defect of lmzoo; 128 + signal
};
Failure failure_of(const std::exception_ptr& thrown);

// Prints the lines on standard error and returns the code.
int tell(const Failure& failure);

// From here on an exception that nobody could catch (it left a thread or a destructor) ends the program as any other
// does, instead of by SIGABRT. Call once, first.
void tell_what_escapes();

// A library that calls exit() itself has no use for our codes: libgomp does so, with 1, when the system gives it no
// thread or no memory, after a line of its own. While this object lives, exit() means exit code 2.
class ExitGuard {
 public:
  ExitGuard();
  ~ExitGuard();
  ExitGuard(const ExitGuard&) = delete;
  ExitGuard& operator=(const ExitGuard&) = delete;
};

}  // namespace lmzoo
