#include "io/zip.h"

#include <algorithm>

#include "base/utf8.h"
#include "io/cursor.h"
#include "io/files.h"
#include "io/zip_directory.h"

namespace lmzoo {
namespace {

constexpr uint32_t kLocal = 0x04034B50;
constexpr uint32_t kCentral = 0x02014B50;
constexpr uint32_t kDescriptor = 0x08074B50;
constexpr size_t kLocalBytes = 30;
constexpr size_t kCentralRecordBytes = 46;

constexpr uint16_t kHasDescriptor = 1 << 3;
constexpr uint16_t kNameIsUtf8 = 1 << 11;
constexpr uint16_t kEncrypted = 1 << 0 | 1 << 6 | 1 << 13;
constexpr uint16_t kZip64Extra = 1;
constexpr uint32_t kSizeInZip64 = 0xFFFFFFFF;  // the number stands in the zip64 extra field

constexpr size_t kMaxEntryNameBytes = 1024;

std::string shown_zip_name(std::string_view name) { return "\"" + printable(name) + "\""; }

// What a local and a central header have in common.
struct Header {
  uint16_t flags = 0;
  uint16_t method = 0;
  uint32_t crc = 0;
  uint64_t stored = 0;
  uint64_t size = 0;
  uint64_t local = 0;  // central only: where the local header is
  std::string_view name;
};

class ZipReader {
 public:
  ZipReader(std::span<const std::byte> bytes, const std::string& file) : bytes_(bytes), file_(file) {}

  std::vector<ZipEntry> read() {
    const ZipDirectory directory = find_zip_directory(bytes_, file_);
    std::vector<Header> headers = central_headers(directory);
    std::sort(
        headers.begin(), headers.end(), [](const Header& a, const Header& b) { return a.local < b.local; });
    std::vector<ZipEntry> entries;
    entries.reserve(headers.size());
    if ((headers.empty() ? directory.offset : headers.front().local) != 0) {
      fail("does not begin with an entry: something was put before it");
    }
    for (size_t i = 0; i < headers.size(); ++i) {
      entries.push_back(entry(headers[i], i + 1 < headers.size() ? headers[i + 1].local : directory.offset));
    }
    refuse_duplicates(entries);
    return entries;
  }

 private:
  [[noreturn]] void fail(const std::string& why) const { throw InputError(Location{file_}, "zip: " + why); }
  [[noreturn]] void fail(const Header& header, const std::string& why) const {
    fail("entry " + shown_zip_name(header.name) + " " + why);
  }

  std::vector<Header> central_headers(const ZipDirectory& directory) const {
    std::vector<Header> headers;
    headers.reserve(directory.entries);
    uint64_t at = directory.offset;
    const uint64_t end = directory.offset + directory.bytes;
    for (uint64_t i = 0; i < directory.entries; ++i) {
      const std::string number = std::to_string(i);
      if (end - at < kCentralRecordBytes || Cursor(bytes_, at).u32() != kCentral) {
        fail("entry " + number + " of the directory is not there");
      }
      Cursor cursor(bytes_, at + 8);
      Header header;
      header.flags = cursor.u16();
      header.method = cursor.u16();
      cursor.skip(4);  // time and date
      header.crc = cursor.u32();
      header.stored = cursor.u32();
      header.size = cursor.u32();
      const uint16_t name = cursor.u16(), extra = cursor.u16(), comment = cursor.u16(), disk = cursor.u16();
      cursor.skip(6);  // attributes
      header.local = cursor.u32();
      if (end - at - kCentralRecordBytes < uint64_t{name} + extra) {
        fail("entry " + number + " of the directory is longer than the directory");
      }
      header.name = cursor.text(name);
      check_name(header.name);
      if (comment != 0) {
        fail(header, "has a comment");
      }
      if (disk != 0) {
        fail(header, "is on another disk");
      }
      apply_zip64(header, cursor.take(extra), true);
      check_kind(header);
      if (header.local >= directory.offset) {
        fail(header, "is said to lie behind the directory");
      }
      at += kCentralRecordBytes + name + extra;
      headers.push_back(header);
    }
    if (at != end) {
      fail("the directory has more than the entries it counts");
    }
    return headers;
  }

  void check_name(std::string_view name) const {
    const bool is_bad = name.empty() || name.size() > kMaxEntryNameBytes || !is_utf8(name) ||
                        name.front() == '/' || std::any_of(name.begin(), name.end(), [](unsigned char c) {
                          return c < 0x20 || c == 0x7F || c == '\\' || c == ':';
                        });
    bool leads_out = false;
    for (size_t begin = 0; begin <= name.size();) {
      const size_t end = std::min(name.find('/', begin), name.size());
      const std::string_view part = name.substr(begin, end - begin);
      leads_out = leads_out || part == "." || part == "..";
      begin = end + 1;
    }
    if (is_bad || leads_out) {
      fail("the name " + shown_zip_name(name) + " is not a plain relative one");
    }
  }

  void check_kind(const Header& header) const {
    if ((header.flags & kEncrypted) != 0) {
      fail(header, "is encrypted");
    }
    if (header.method != 0) {
      fail(header,
           "is compressed (method " + std::to_string(header.method) +
               "), which torch.save never does; read are stored entries only");
    }
    if ((header.flags & ~(kHasDescriptor | kNameIsUtf8)) != 0) {
      fail(header, "has flags of no meaning here");
    }
    if (header.stored != header.size) {
      fail(header, "is stored, but has two sizes");
    }
  }

  // Takes the numbers that did not fit into 32 bits from the extra fields.
  void apply_zip64(Header& header, std::span<const std::byte> extra, bool is_central) const {
    bool applied = false;
    while (!extra.empty()) {
      if (extra.size() < 4) {
        fail(header, "has a broken extra field");
      }
      Cursor cursor(extra, 0);
      const uint16_t id = cursor.u16(), size = cursor.u16();
      if (size > extra.size() - 4) {
        fail(header, "has a broken extra field");
      }
      if (id == kZip64Extra) {
        if (applied) {
          fail(header, "has two zip64 extra fields");
        }
        applied = true;
        take_wide(header, extra.subspan(4, size), is_central);
      }
      extra = extra.subspan(4 + size);
    }
  }
  void take_wide(Header& header, std::span<const std::byte> wide, bool is_central) const {
    Cursor cursor(wide, 0);
    size_t left = wide.size();
    for (uint64_t* value : {&header.size, &header.stored, &header.local}) {
      if (*value != kSizeInZip64 || (value == &header.local && !is_central)) {
        continue;
      }
      if (left < 8) {
        fail(header, "has a zip64 extra field without the number that belongs there");
      }
      *value = cursor.u64();
      left -= 8;
    }
    if (is_central && left > 0) {
      fail(header, "has a zip64 extra field with a number that belongs elsewhere");
    }
  }

  // `limit`: where the next entry or the directory begins.
  ZipEntry entry(const Header& central, uint64_t limit) const {
    if (limit < central.local || limit - central.local < kLocalBytes ||
        Cursor(bytes_, central.local).u32() != kLocal) {
      fail(central, "has no local header at byte " + std::to_string(central.local));
    }
    Cursor cursor(bytes_, central.local + 6);
    Header local;
    local.flags = cursor.u16();
    local.method = cursor.u16();
    cursor.skip(4);  // time and date
    local.crc = cursor.u32();
    local.stored = cursor.u32();
    local.size = cursor.u32();
    const uint16_t name = cursor.u16(), extra = cursor.u16();
    const uint64_t room = limit - central.local - kLocalBytes;
    if (room < uint64_t{name} + extra || room - name - extra < central.size) {
      fail(central, "does not fit between its local header and byte " + std::to_string(limit));
    }
    local.name = cursor.text(name);
    apply_zip64(local, cursor.take(extra), false);
    const bool has_descriptor = (central.flags & kHasDescriptor) != 0;
    const bool is_later = has_descriptor && local.crc == 0 && local.size == 0 && local.stored == 0;
    const bool same_numbers =
        local.crc == central.crc && local.size == central.size && local.stored == central.stored;
    if (local.name != central.name || local.flags != central.flags || local.method != central.method ||
        !(same_numbers || is_later)) {
      fail(central, "has a local header that disagrees with the directory");
    }
    const auto bytes = cursor.take(central.size);
    check_rest(central, has_descriptor, cursor.take(room - name - extra - central.size));
    return {std::string(central.name), bytes, central.crc, central.local};
  }

  // What follows the bytes of an entry: nothing, or the descriptor.
  void check_rest(const Header& header, bool has_descriptor, std::span<const std::byte> rest) const {
    const bool is_wide = rest.size() == 24 || rest.size() == 20;
    const bool is_marked = rest.size() == 24 || rest.size() == 16;
    if (!has_descriptor && !rest.empty()) {
      fail(header, "is followed by " + std::to_string(rest.size()) + " bytes that belong to nothing");
    }
    if (!has_descriptor) {
      return;
    }
    if (!is_wide && rest.size() != 16 && rest.size() != 12) {
      fail(header, "is not followed by its descriptor and nothing else");
    }
    Cursor cursor(rest, 0);
    const bool is_signed = !is_marked || cursor.u32() == kDescriptor;
    const uint32_t crc = cursor.u32();
    const uint64_t stored = is_wide ? cursor.u64() : cursor.u32();
    const uint64_t size = is_wide ? cursor.u64() : cursor.u32();
    if (!is_signed || crc != header.crc || stored != header.stored || size != header.size) {
      fail(header, "has a descriptor that disagrees with the directory");
    }
  }

  // Sorts by name. PyTorch's own reader looks entries up without regard to case.
  void refuse_duplicates(std::vector<ZipEntry>& entries) const {
    const auto lower = [](std::string_view name) {
      std::string text(name);
      std::transform(text.begin(), text.end(), text.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      });
      return text;
    };
    std::vector<std::string> names;
    names.reserve(entries.size());
    for (const ZipEntry& entry : entries) {
      names.push_back(lower(entry.name));
    }
    std::sort(names.begin(), names.end());
    if (const auto twice = std::adjacent_find(names.begin(), names.end()); twice != names.end()) {
      fail("two entries are named " + shown_zip_name(*twice));
    }
    std::sort(
        entries.begin(), entries.end(), [](const ZipEntry& a, const ZipEntry& b) { return a.name < b.name; });
  }

  std::span<const std::byte> bytes_;
  const std::string& file_;
};

}  // namespace

std::vector<ZipEntry> read_zip(std::span<const std::byte> bytes, const std::string& file) {
  return ZipReader(bytes, file).read();
}

void check_crc(const ZipEntry& entry, const std::string& file) {
  if (entry.crc != 0 && crc32(entry.bytes) != entry.crc) {
    throw InputError(
        Location{file},
        "zip: entry " + shown_zip_name(entry.name) + " is damaged: its CRC-32 is not that of the directory");
  }
}

}  // namespace lmzoo
