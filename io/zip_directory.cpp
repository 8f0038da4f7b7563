#include "io/zip_directory.h"

#include <optional>

#include "base/error.h"
#include "io/cursor.h"

namespace lmzoo {
namespace {

constexpr uint32_t kEnd = 0x06054B50;
constexpr uint32_t kZip64End = 0x06064B50;
constexpr uint32_t kZip64Locator = 0x07064B50;
constexpr size_t kEndBytes = 22;
constexpr size_t kZip64EndBytes = 56;
constexpr size_t kZip64LocatorBytes = 20;
constexpr size_t kCentralBytes = 46;
constexpr uint32_t kInZip64 = 0xFFFFFFFF;  // the number stands in the zip64 end record
constexpr uint64_t kMaxEntries = 1 << 18;

class Finder {
 public:
  Finder(std::span<const std::byte> bytes, const std::string& file) : bytes_(bytes), file_(file) {}

  ZipDirectory find() const {
    const uint64_t size = bytes_.size();
    if (size < kEndBytes || Cursor(bytes_, size - kEndBytes).u32() != kEnd) {
      fail("the last 22 bytes are no end record: the file is truncated, or something was appended");
    }
    const uint64_t at = size - kEndBytes;
    Cursor end(bytes_, at + 4);
    const uint16_t disk = end.u16(), directory_disk = end.u16(), here = end.u16(), all = end.u16();
    const uint32_t directory_bytes = end.u32(), offset = end.u32();
    const uint16_t comment = end.u16();
    if (disk != 0 || directory_disk != 0 || here != all) {
      fail("split over several files");
    }
    if (comment != 0) {
      fail("has a comment");
    }
    ZipDirectory directory{all, offset, directory_bytes};
    uint64_t directory_end = at;
    if (const auto wide = zip64_directory(at)) {
      const auto disagree = [](uint64_t narrow, uint64_t mark, uint64_t value) {
        return narrow != mark && narrow != value;
      };
      if (disagree(all, 0xFFFF, wide->entries) || disagree(offset, kInZip64, wide->offset) ||
          disagree(directory_bytes, kInZip64, wide->bytes)) {
        fail("the end record and the zip64 end record disagree");
      }
      directory = *wide;
      directory_end = at - kZip64LocatorBytes - kZip64EndBytes;
    } else if (all == 0xFFFF || offset == kInZip64 || directory_bytes == kInZip64) {
      fail("the zip64 end record is missing");
    }
    if (directory.bytes > directory_end || directory.offset != directory_end - directory.bytes) {
      fail("the directory does not lie between the entries and the end record");
    }
    if (directory.entries > kMaxEntries || directory.entries > directory.bytes / kCentralBytes) {
      fail("says that it has " + std::to_string(directory.entries) +
           " entries; its directory cannot hold them");
    }
    return directory;
  }

 private:
  [[noreturn]] void fail(const std::string& why) const { throw InputError(Location{file_}, "zip: " + why); }

  // `end`: where the end record is.
  std::optional<ZipDirectory> zip64_directory(uint64_t end) const {
    if (end < kZip64LocatorBytes || Cursor(bytes_, end - kZip64LocatorBytes).u32() != kZip64Locator) {
      return std::nullopt;
    }
    Cursor locator(bytes_, end - kZip64LocatorBytes + 4);
    const uint32_t disk = locator.u32();
    const uint64_t offset = locator.u64();
    const uint32_t disks = locator.u32();
    if (disk != 0 || disks > 1) {
      fail("split over several files");
    }
    if (end < kZip64LocatorBytes + kZip64EndBytes || offset != end - kZip64LocatorBytes - kZip64EndBytes) {
      fail("the zip64 end record is not where it must be");
    }
    Cursor record(bytes_, offset);
    const uint32_t signature = record.u32();
    const uint64_t rest = record.u64();
    record.skip(4);  // versions
    const uint32_t this_disk = record.u32(), directory_disk = record.u32();
    const uint64_t here = record.u64(), all = record.u64();
    if (signature != kZip64End || rest != kZip64EndBytes - 12) {
      fail("the zip64 end record is not where it must be");
    }
    if (this_disk != 0 || directory_disk != 0 || here != all) {
      fail("split over several files");
    }
    const uint64_t directory_bytes = record.u64();
    return ZipDirectory{all, record.u64(), directory_bytes};
  }

  std::span<const std::byte> bytes_;
  const std::string& file_;
};

}  // namespace

ZipDirectory find_zip_directory(std::span<const std::byte> bytes, const std::string& file) {
  return Finder(bytes, file).find();
}

}  // namespace lmzoo
