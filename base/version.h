#pragma once

#include <string>

namespace lmzoo {

std::string version();  // "0.1.0"

}  // namespace lmzoo
