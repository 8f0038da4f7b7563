// A zip file of stored (not compressed) entries, in place: what torch.save writes.
//
//   entry... | central directory: header... | [zip64 end record, zip64 locator] | end record
//   entry: local header, name, extra, bytes, [descriptor: crc and sizes again]
//
// Two readers of one zip file can see different files in it: by the local or by the central names, by the
// first or the last end record, by the first or the last of two equal names. This one accepts only files on
// which they all agree: entries follow one another from byte 0 without a hole or an overlap, the directory
// follows at once, the end record is the last 22 bytes, local and central headers agree, no name is there
// twice (whatever the case of its letters). Compressed, encrypted and split files, comments, and names that
// lead out of a folder are refused by name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace lmzoo {

struct ZipEntry {
  std::string name;
  std::span<const std::byte> bytes;
  uint32_t crc = 0;     // as the directory has it: nothing is computed
  uint64_t offset = 0;  // of the local header in the file
};

// Sorted by name. `file` is only for messages.
std::vector<ZipEntry> read_zip(std::span<const std::byte> bytes, const std::string& file);

// Throws unless the entry has its CRC-32. One of 0 was not computed (torch can be told so).
void check_crc(const ZipEntry& entry, const std::string& file);

}  // namespace lmzoo
