// What LibTorch's errors say to a person: what() is up to 19 lines with a backtrace.
#pragma once

#include <string>

#include <c10/util/Exception.h>

namespace lmzoo {

inline std::string first_line(const c10::Error& error) {
  const std::string text = error.what_without_backtrace();
  return text.substr(0, text.find('\n'));
}

// LibTorch ends the process when it cannot allocate, if a flag of its own says so, which some builds begin with; from
// here on it throws.
void throw_when_memory_is_out();

}  // namespace lmzoo
