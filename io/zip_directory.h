// Where the directory of a zip file is: what its end records say, once they are known to agree.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace lmzoo {

struct ZipDirectory {
  uint64_t entries = 0;
  uint64_t offset = 0;
  uint64_t bytes = 0;
};

// The end record is the last 22 bytes, the directory lies directly before it and the zip64 records; else it
// is an InputError. The directory has room for its entries.
ZipDirectory find_zip_directory(std::span<const std::byte> bytes, const std::string& file);

}  // namespace lmzoo
