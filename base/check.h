// One way to refuse: `check(condition, "width is ", width, " but must be a multiple of heads = ", heads)`.
//
// InputError (base/error.h) means that what the user gave is wrong: the command line prints its one line and
// exits 2. A message names the thing, the value it has and the relation it breaks.
#pragma once

#include <sstream>
#include <string>

#include "base/error.h"

namespace lmzoo {

// Joins any printable parts to one string.
template <class... Parts>
std::string concat(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

// Throws InputError with the joined parts when `condition` does not hold.
template <class... Parts>
void check(bool condition, const Parts&... parts) {
  if (!condition) {
    throw InputError(concat(parts...));
  }
}

}  // namespace lmzoo
