// What LibTorch's errors say to a person: what() is up to 19 lines with a backtrace.
#pragma once

#include <string>

#include <c10/util/Exception.h>

namespace lmzoo {

inline std::string first_line(const c10::Error& error) {
  const std::string text = error.what_without_backtrace();
  return text.substr(0, text.find('\n'));
}

}  // namespace lmzoo
