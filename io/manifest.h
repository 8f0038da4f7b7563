// manifest.json: the size and CRC-32 of every other file of a folder, written last. A folder whose manifest
// verifies is complete and undamaged.
#pragma once

#include <string>
#include <vector>

namespace lmzoo {

inline constexpr const char* kManifestName = "manifest.json";

// Lists every regular file below `folder` except the manifest itself; or these files of it.
void write_manifest(const std::string& folder);
void write_manifest(const std::string& folder, const std::vector<std::string>& names);

// Throws InputError naming the file that is missing, of another size or of other content; a manifest of which
// a single bit changed is found too. It must list the `required` names; further files are ignored.
void verify_manifest(const std::string& folder, const std::vector<std::string>& required = {});

}  // namespace lmzoo
