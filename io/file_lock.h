// One owner at a time, whatever ends it: flock(2) on a file, which the kernel releases with the process, also across
// containers and, where the server supports it, NFS. Process ids say nothing there.
#pragma once

#include <string>

namespace lmzoo {

class FileLock {
 public:
  // Owns the file `path`, which is made when it is absent and stays. InputError at once when another process owns it,
  // saying `what` is in use and by whom: the owner's host and process stand in the file.
  FileLock(const std::string& path, const std::string& what);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int descriptor_ = -1;
};

}  // namespace lmzoo
