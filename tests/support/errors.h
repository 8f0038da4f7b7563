// What is refused, and how.
#pragma once

#include <functional>
#include <string>

#include "base/error.h"

namespace lmzoo::test {

// The message of the InputError that `work` throws; "no error" when it throws none.
inline std::string error_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace lmzoo::test
