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

  const std::string& path() const { return path_; }
  // Takes over its name of now, and says whether that is another. InputError when the folder was removed.
  bool renamed();

 private:
  std::string path_;
  int descriptor_;
};

}  // namespace lmzoo
