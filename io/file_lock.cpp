#include "io/file_lock.h"

#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/error.h"
#include "base/utf8.h"
#include "io/descriptor.h"

namespace lmzoo {
namespace {

std::string this_process() {
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  return fmt::format("process {} on {}\n", ::getpid(), host.data());
}

// What the owner wrote.
std::string owner_in(int descriptor) {
  std::array<char, 320> text{};
  const ssize_t count = ::pread(descriptor, text.data(), text.size(), 0);
  const std::string owner(text.data(), count > 0 ? static_cast<size_t>(count) : 0);
  return owner.empty() ? "another process" : printable(owner.substr(0, owner.find('\n')));
}

}  // namespace

FileLock::FileLock(const std::string& path, const std::string& what) {
  while (true) {
    descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (descriptor_ < 0) {
      throw InputError(Location{path}, fmt::format("cannot be written: {}", std::strerror(errno)));
    }
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
      const int fault = errno;
      const std::string owner = owner_in(descriptor_);
      ::close(descriptor_);
      throw fault == EWOULDBLOCK
          ? InputError(fmt::format("{} is in use by {}; wait for it, or stop it", what, owner))
          : InputError(Location{path}, fmt::format("cannot be locked: {}", std::strerror(fault)));
    }
    if (is_still_at(descriptor_, path)) {  // it may have been removed between opening and locking
      break;
    }
    ::close(descriptor_);
  }
  const std::string owner = this_process();
  if (::ftruncate(descriptor_, 0) == 0) {
    [[maybe_unused]] const ssize_t written =
        ::pwrite(descriptor_, owner.data(), owner.size(), 0);  // only a help
  }
}

FileLock::~FileLock() {
  [[maybe_unused]] const int emptied = ::ftruncate(descriptor_, 0);
  ::close(descriptor_);
}

}  // namespace lmzoo
