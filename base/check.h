// One way to refuse: `check(condition, "width is {} but must be a multiple of heads = {}", width, heads)`.
//
// InputError (base/error.h) means that what the user gave is wrong: the command line prints its one line and
// exits 2. A message names the thing, the value it has and the relation it breaks. Formats are libfmt's, checked
// when compiled; numbers with a fraction want {:g}.
#pragma once

#include <fmt/core.h>

#include "base/error.h"

namespace lmzoo {

[[noreturn]] void refuse(fmt::string_view message, fmt::format_args arguments);

// Throws InputError with the message when `condition` does not hold.
template <class... Arguments>
void check(bool condition, fmt::format_string<Arguments...> message, Arguments&&... arguments) {
  if (!condition) {
    refuse(message, fmt::make_format_args(arguments...));
  }
}

}  // namespace lmzoo
