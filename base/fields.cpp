#include "base/fields.h"

#include <cmath>

namespace lmzoo {

std::string to_string(const Range& range) {
  const bool low = std::isfinite(range.low);
  const bool high = std::isfinite(range.high);
  if (low && high) {
    return fmt::format(
        "in {}{:g}, {:g}{}", range.low_open ? "(" : "[", range.low, range.high, range.high_open ? ")" : "]");
  }
  if (low) {
    return fmt::format("{}{:g}", range.low_open ? "more than " : "at least ", range.low);
  }
  if (high) {
    return fmt::format("{}{:g}", range.high_open ? "less than " : "at most ", range.high);
  }
  return "any number";
}

}  // namespace lmzoo
