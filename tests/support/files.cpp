#include "support/files.h"

#include <fstream>
#include <iterator>
#include <stdexcept>

#include <stdlib.h>

namespace lmzoo::test {

namespace fs = std::filesystem;

TempDir::TempDir() {
  std::string pattern = (fs::temp_directory_path() / "lmzoo-test-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) {
    throw std::runtime_error("cannot make a temporary folder " + pattern);
  }
  path_ = pattern;
}

TempDir::~TempDir() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

void write_file(const std::string& path, const std::string& bytes) {
  fs::create_directories(fs::path(path).parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::optional<std::string> shared_data(const std::string& name) {
  const fs::path path = fs::path(LMZOO_SOURCE_DIR) / ".." / "shared" / "data" / name;
  return fs::exists(path) ? std::optional(path.string()) : std::nullopt;
}

std::string golden(const std::string& name) {
  return (fs::path(LMZOO_SOURCE_DIR) / "tests" / "golden" / name).string();
}

}  // namespace lmzoo::test
