#include "base/version.h"

namespace lmzoo {

std::string version() { return LMZOO_VERSION; }  // of CMakeLists.txt

}  // namespace lmzoo
