// What this program is and runs on.
#pragma once

#include <string>

namespace lmzoo {

std::string version_details();  // lmzoo, LibTorch, compiler, CPU and GPU, a line each

}  // namespace lmzoo
