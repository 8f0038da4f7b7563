#include "io/held_folder.h"

#include <cerrno>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include "base/error.h"
#include "io/descriptor.h"

namespace lmzoo {

HeldFolder::HeldFolder(const std::string& path)
    : path_(path), descriptor_(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  if (descriptor_ < 0) {
    fail_reading(path, errno);
  }
}

HeldFolder::~HeldFolder() { ::close(descriptor_); }

bool HeldFolder::renamed() {
  if (is_still_at(descriptor_, path_)) {
    return false;
  }
  std::error_code ignored;
  const std::string now =
      std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(descriptor_), ignored).string();
  if (now.empty() || !is_still_at(descriptor_, now)) {
    throw InputError(Location{path_}, "was removed while it was written to");
  }
  path_ = now;
  return true;
}

}  // namespace lmzoo
