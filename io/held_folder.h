// A folder that is written to for hours, whatever it is called meanwhile.
#pragma once

#include <string>

namespace lmzoo {

class HeldFolder {
 public:
  explicit HeldFolder(const std::string& path);  // must be there
  ~HeldFolder();
  HeldFolder(const HeldFolder&) = delete;
  HeldFolder& operator=(const HeldFolder&) = delete;

  const std::string& path_before() const { return path_; }  // what path() said last
  // Its name now: `path`, unless it has been renamed since. InputError when it was removed.
  const std::string& path();

 private:
  std::string path_;
  int descriptor_;
};

}  // namespace lmzoo
