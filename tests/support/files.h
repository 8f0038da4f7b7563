// Files for tests: a folder that removes itself, whole-file reading and writing, the optional real data.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace lmzoo::test {

// A fresh folder below the system's temporary one, removed with everything in it.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::string operator/(const std::string& name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

void write_file(const std::string& path, const std::string& bytes);
std::string read_file(const std::string& path);

// A file of the real data that stands beside the repository (../shared/data/NAME), when it is there.
std::optional<std::string> shared_data(const std::string& name);
// A file of tests/golden.
std::string golden(const std::string& name);

}  // namespace lmzoo::test
