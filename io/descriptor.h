// What the sources of io/ share about open files. Errors as io/files.h says.
#pragma once

#include <string>

#include <unistd.h>

namespace lmzoo {

// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) {
      ::close(value_);
    }
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return value_; }

 private:
  int value_;
};

// `error` is an errno.
[[noreturn]] void fail_reading(const std::string& path, int error);
[[noreturn]] void fail_writing(const std::string& path, int error);

std::string parent_of(const std::string& path);  // "." when the path has none

// To the disk, as far as the file system can.
void sync_descriptor(int descriptor, const std::string& path);
void sync_path(const std::string& path);

// Whether the open file is what stands at `path` now: it may have been renamed or removed since.
bool is_still_at(int descriptor, const std::string& path);

}  // namespace lmzoo
