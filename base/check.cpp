#include "base/check.h"

namespace lmzoo {

void refuse(fmt::string_view message, fmt::format_args arguments) {
  throw InputError(fmt::vformat(message, arguments));
}

}  // namespace lmzoo
