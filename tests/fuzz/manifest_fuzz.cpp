#include <filesystem>

#include <unistd.h>

#include "fuzz/target.h"
#include "io/manifest.h"

void lmzoo::fuzz::read_input(const Input& input) {
  // The one file that is read lies where the input does; those that it lists are nowhere.
  static const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("lmzoo-fuzz-manifest-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  std::filesystem::remove(folder / kManifestName);
  std::filesystem::create_symlink(input.path, folder / kManifestName);
  verify_manifest(folder.string());
}
