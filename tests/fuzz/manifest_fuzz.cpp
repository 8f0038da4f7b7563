#include "fuzz/folder.h"
#include "fuzz/target.h"
#include "io/manifest.h"

void lmzoo::fuzz::read_input(const Input& input) {
  static const Folder folder;  // the files that the manifest lists are nowhere
  folder.hold(kManifestName, input.bytes);
  verify_manifest(folder.path());
}
