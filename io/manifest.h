// manifest.json: the size and CRC-32 of every other file of a folder, written last. A folder whose manifest
// verifies is complete and undamaged.
#pragma once

#include <string>

namespace lmzoo {

inline constexpr const char* kManifestName = "manifest.json";

// Lists every regular file below `folder` except the manifest itself.
void write_manifest(const std::string& folder);

// Throws InputError naming the file that is missing, of another size or of other content; a manifest of which
// a single bit changed is found too. Files that the manifest does not list are ignored.
void verify_manifest(const std::string& folder);

}  // namespace lmzoo
