// Published tricks with zip files: what scanners and loaders of models, and other readers of zip, saw
// differently. Each must be refused by name in an instant; nothing is ever unpacked.
#include <ctime>

#include "io/files.h"
#include "io/tensor_files.h"
#include "support/catch.h"
#include "support/files.h"
#include "support/zip_builder.h"

using namespace lmzoo;
using test::build_zip;
using test::le16;
using test::le32;
using test::le64;
using test::ZipPart;
using test::ZipShape;

namespace {

struct ZipAttack {
  const char* source;
  std::string bytes;
  std::string refusal;  // a part of it
};

const std::string kPickle = test::pickle::file("}");

ZipPart pickle_part() { return {.name = "a/data.pkl", .bytes = kPickle}; }
ZipPart other() { return {.name = "a/data/0", .bytes = "0123456789abcdef"}; }

template <class Change>
ZipPart with(ZipPart part, Change change) {
  change(part);
  return part;
}
std::string two(const ZipPart& first, const ZipPart& second = other()) {
  return build_zip({.parts = {first, second}});
}

std::string zip_refusal(const std::string& bytes) {
  const test::TempDir dir;
  test::write_file(dir / "m.bin", bytes);
  const std::clock_t start = std::clock();
  std::string why = "accepted";
  try {
    TensorFiles::open(dir / "m.bin");
  } catch (const InputError& error) {
    why = error.what();
    CHECK(why.find('\n') == std::string::npos);
  }
  CHECK(std::clock() - start < CLOCKS_PER_SEC);  // of the processor: tests run beside others
  return why;
}

void check_zips(const std::vector<ZipAttack>& attacks) {
  for (const ZipAttack& attack : attacks) {
    INFO(attack.source);
    CHECK_THAT(zip_refusal(attack.bytes), Catch::Contains(attack.refusal));
  }
}

// A zip64 end record and its locator, of two entries.
std::string zip64(uint64_t offset, uint64_t bytes, uint64_t at, uint64_t entries = 2, uint32_t disks = 1) {
  return "PK\x06\x06" + le64(44) + le32(0) + le32(0) + le32(0) + le64(entries) + le64(entries) + le64(bytes) +
         le64(offset) + "PK\x06\x07" + le32(0) + le64(at) + le32(disks);
}

}  // namespace

TEST_CASE("right files are accepted, with descriptors and zip64 records too") {
  CHECK(zip_refusal(two(pickle_part())) == "accepted");
  const auto described = [](bool wide, bool marked) {
    ZipPart part = pickle_part();
    part.flags = 1 << 3;
    const uint32_t crc = crc32(as_bytes(part.bytes));
    const size_t size = part.bytes.size();
    part.descriptor =
        (marked ? "PK\x07\x08" : "") + le32(crc) + (wide ? le64(size) + le64(size) : le32(size) + le32(size));
    return two(part);
  };
  for (const bool wide : {false, true}) {
    CHECK(zip_refusal(described(wide, true)) == "accepted");
    CHECK(zip_refusal(described(wide, false)) == "accepted");
  }
  const std::string plain = two(pickle_part());
  ZipShape shape{.parts = {pickle_part(), other()}};
  const size_t directory_bytes = 2 * 46 + 10 + 8;
  const size_t offset = plain.size() - 22 - directory_bytes;
  shape.zip64 = zip64(offset, directory_bytes, offset + directory_bytes);
  CHECK(zip_refusal(build_zip(shape)) == "accepted");
  shape.entries = 0xFFFF;
  shape.directory_offset = shape.directory_bytes = 0xFFFFFFFF;
  CHECK(zip_refusal(build_zip(shape)) == "accepted");
}

TEST_CASE("headers that disagree are refused") {
  check_zips({
      {"CVE-2025-1944, picklescan: another name in the local header",
       two(with(pickle_part(), [](auto& p) { p.local_name = "a/data.txt"; })),
       "entry \"a/data.pkl\" has a local header that disagrees"},
      {"CVE-2025-1945, picklescan: the flag of encryption",
       two(with(pickle_part(), [](auto& p) { p.flags = 1; })),
       "entry \"a/data.pkl\" is encrypted"},
      {"CVE-2025-1945: only in the local header",
       two(with(pickle_part(), [](auto& p) { p.local_flags = 1; })),
       "has a local header that disagrees"},
      {"CVE-2025-1945: strong encryption",
       two(with(pickle_part(), [](auto& p) { p.flags = 1 << 6; })),
       "is encrypted"},
      {"CVE-2025-1945: masked headers",
       two(with(pickle_part(), [](auto& p) { p.flags = 1 << 13; })),
       "is encrypted"},
      {"CVE-2025-1945: a flag of no meaning",
       two(with(pickle_part(), [](auto& p) { p.flags = 1 << 5; })),
       "has flags of no meaning here"},
      {"CVE-2025-10156, picklescan: a wrong CRC",
       two(with(pickle_part(), [](auto& p) { p.crc = 1; })),
       "entry \"a/data.pkl\" is damaged: its CRC-32"},
      {"two sizes in the directory",
       two(with(pickle_part(), [](auto& p) { p.size = 1; })),
       "is stored, but has two sizes"},
      {"sizes smaller than the entry",
       two(with(pickle_part(), [](auto& p) { p.stored = p.size = 3; })),
       "has a local header that disagrees"},
      {"sizes beyond the next entry",
       two(with(pickle_part(), [](auto& p) { p.stored = p.size = 500; })),
       "does not fit between"},
      {"a descriptor that was not announced",
       two(with(pickle_part(), [](auto& p) { p.descriptor = std::string(16, 'x'); })),
       "is followed by 16 bytes that belong to nothing"},
      {"a descriptor of other numbers",
       two(with(pickle_part(),
                [](auto& p) {
                  p.flags = 8;
                  p.descriptor = "PK\x07\x08" + std::string(12, '\0');
                })),
       "has a descriptor that disagrees"},
      {"a descriptor of another length",
       two(with(pickle_part(),
                [](auto& p) {
                  p.flags = 8;
                  p.descriptor = std::string(17, '\0');
                })),
       "is not followed by its descriptor"},
  });
}

TEST_CASE("what is not stored as torch.save stores it is refused") {
  const std::string good = two(pickle_part());
  check_zips({
      {"CVE-2019-9674: a zip bomb",
       two(with(pickle_part(), [](auto& p) { p.method = 8; })),
       "entry \"a/data.pkl\" is compressed (method 8)"},
      {"ReversingLabs 2025, nullifAI: LZMA",
       two(with(pickle_part(), [](auto& p) { p.method = 14; })),
       "is compressed (method 14)"},
      {"ReversingLabs 2025, nullifAI: 7z instead of zip",
       "7z\xBC\xAF\x27\x1C" + std::string(100, '\0'),
       "not a PyTorch file: it is no zip file"},
      {"CVE-2025-10155, picklescan: a bare pickle named .bin",
       "\x80\x02"
       "cos\nsystem\n(X\4\0\0\0echotR.",
       "is in PyTorch's format before 1.6"},
      {"CVE-2025-32434: the tar format",
       std::string("storages") + std::string(504, '\0'),
       "not a PyTorch file: it is no zip file"},
      {"a comment of an entry",
       two(with(pickle_part(), [](auto& p) { p.comment = "x"; })),
       "entry \"a/data.pkl\" has a comment"},
      {"an entry on another disk",
       two(with(pickle_part(), [](auto& p) { p.disk = 1; })),
       "is on another disk"},
      {"a part of a split file",
       build_zip({.parts = {pickle_part()}, .disk = 1}),
       "split over several files"},
      {"CVE-2024-24789, Go: a comment that hides another end record",
       build_zip({.parts = {pickle_part()}, .comment = "PK\x05\x06" + std::string(18, '\0')}),
       "the directory does not lie between"},
      {"CVE-2024-24789, Go: a comment",
       build_zip({.parts = {pickle_part()}, .comment = "x"}),
       "the last 22 bytes are no end record"},
      {"Trail of Bits 2023, polyglots: bytes after the end",
       good + "GIF89a",
       "the last 22 bytes are no end record"},
      {"Trail of Bits 2023, polyglots: bytes before it",
       build_zip({.parts = {pickle_part()}, .before = "PK\x03\x04#!/bin/sh\n"}),
       "does not begin with an entry"},
      {"GIFAR (2008): a picture before it",
       build_zip({.parts = {pickle_part()}, .before = "GIF89a"}),
       "it is no zip file"},
      {"truncated", good.substr(0, good.size() - 1), "the last 22 bytes are no end record"},
      {"only an end record", build_zip({}), "it is no zip file"},
  });
}

TEST_CASE("entries that overlap, hide or repeat each other are refused") {
  const ZipPart hidden = with(other(), [](auto& p) { p.name = "a/data.pkl"; });
  const std::string one = build_zip({.parts = {pickle_part()}});
  check_zips({
      {"Fifield 2019, CVE-2019-13232: all entries are one",
       two(pickle_part(), with(other(), [](auto& p) { p.offset = 0; })),
       "has no local header at byte 0"},
      {"CVE-2024-0450, Python: an entry within another",
       two(with(pickle_part(), [](auto& p) { p.bytes += std::string(100, 'x'); }),
           with(other(), [](auto& p) { p.offset = 60; })),
       "does not fit between its local header and byte 60"},
      {"CVE-2013-4787, Android: a name twice",
       two(pickle_part(), hidden),
       "two entries are named \"a/data.pkl\""},
      {"the same, told apart by case: PyTorch's reader does not",
       two(pickle_part(), with(hidden, [](auto& p) { p.name = "a/DATA.PKL"; })),
       "two entries are named \"a/data.pkl\""},
      {"CVE-2025-54368, uv: a local entry that the directory has not",
       build_zip({.parts = {pickle_part()}, .hidden = one.substr(0, 60)}),
       "bytes that belong to nothing"},
      {"something between entries and directory",
       build_zip({.parts = {pickle_part()}, .hidden = "x"}),
       "is followed by 1 bytes that belong to nothing"},
      {"CVE-2018-6484, zziplib: a directory beyond the end",
       build_zip({.parts = {pickle_part()}, .directory_offset = 0x7FFFFFFF}),
       "the directory does not lie between"},
      {"CVE-2018-6484: a directory larger than the file",
       build_zip({.parts = {pickle_part()}, .directory_bytes = 0x7FFFFFFF}),
       "the directory does not lie between"},
      {"a directory before the real one",
       build_zip({.parts = {pickle_part()}, .directory_offset = 3}),
       "the directory does not lie between"},
      {"CVE-2021-33196, Go: more entries than there is room for",
       build_zip({.parts = {pickle_part()}, .entries = 0xFFFE}),
       "says that it has 65534 entries"},
      {"fewer entries than there are",
       build_zip({.parts = {pickle_part(), other()}, .entries = 1}),
       "the directory has more than the entries it counts"},
      {"an entry behind the directory",
       two(pickle_part(), with(other(), [](auto& p) { p.offset = 0x7FFFFFFF; })),
       "is said to lie behind the directory"},
      {"an entry in the middle of another's header",
       two(pickle_part(), with(other(), [](auto& p) { p.offset = 5; })),
       "has no local header"},
  });
}

TEST_CASE("zip64 records that are missing, wrong or not needed are refused") {
  const ZipShape plain{.parts = {pickle_part(), other()}};
  const uint64_t directory = 2 * 46 + 10 + 8;
  const uint64_t offset = build_zip(plain).size() - 22 - directory;
  const auto shaped = [&](const std::string& records) {
    ZipShape shape = plain;
    shape.zip64 = records;
    shape.entries = 0xFFFF;
    shape.directory_offset = shape.directory_bytes = 0xFFFFFFFF;
    return build_zip(shape);
  };
  const uint64_t at = offset + directory;
  const std::string wide = le16(1) + le16(8) + le64(16);
  check_zips({
      {"no record at all", shaped(""), "the zip64 end record is missing"},
      {"CVE-2025-8291, Python: a locator that points elsewhere",
       shaped(zip64(offset, directory, 0)),
       "the zip64 end record is not where it must be"},
      {"CVE-2025-8291: beyond the file",
       shaped(zip64(offset, directory, ~0ull)),
       "the zip64 end record is not where it must be"},
      {"CVE-2025-8291: numbers that disagree",
       [&] {
         ZipShape s = plain;
         s.zip64 = zip64(offset, directory, at, 1);
         return build_zip(s);
       }(),
       "the end record and the zip64 end record disagree"},
      {"a directory that wraps", shaped(zip64(~0ull - 3, 8, at)), "the directory does not lie between"},
      {"a directory of 2^64 - 1 bytes",
       shaped(zip64(offset, ~0ull, at)),
       "the directory does not lie between"},
      {"CVE-2021-33196, Go: 2^60 entries",
       shaped(zip64(offset, directory, at, 1ull << 60)),
       "its directory cannot hold them"},
      {"several disks", shaped(zip64(offset, directory, at, 2, 2)), "split over several files"},
      {"CVE-2018-6540, zziplib: an extra field that ends too soon",
       two(with(pickle_part(),
                [](auto& p) {
                  p.stored = p.size = 0xFFFFFFFF;
                  p.extra = le16(1) + le16(8) + le64(4);
                })),
       "has a zip64 extra field without the number that belongs there"},
      {"CVE-2018-6540: an extra field longer than the header",
       two(with(pickle_part(), [](auto& p) { p.extra = le16(1) + le16(80) + le64(4); })),
       "has a broken extra field"},
      {"an extra field of three bytes",
       two(with(pickle_part(), [](auto& p) { p.extra = "abc"; })),
       "has a broken extra field"},
      {"a number that nobody asked for",
       two(with(pickle_part(), [&](auto& p) { p.extra = wide; })),
       "has a zip64 extra field with a number that belongs elsewhere"},
      {"two zip64 fields",
       two(with(pickle_part(),
                [&](auto& p) {
                  p.stored = p.size = 0xFFFFFFFF;
                  p.extra = le16(1) + le16(16) + le64(4) + le64(4) + le16(1) + le16(0);
                })),
       "has two zip64 extra fields"},
      {"an offset of 2^63",
       two(pickle_part(),
           with(other(),
                [&](auto& p) {
                  p.offset = 0xFFFFFFFF;
                  p.extra = le16(1) + le16(8) + le64(1ull << 63);
                })),
       "is said to lie behind the directory"},
      {"a size of 2^64 - 1",
       two(with(pickle_part(),
                [&](auto& p) {
                  p.stored = p.size = 0xFFFFFFFF;
                  p.extra = le16(1) + le16(16) + le64(~0ull) + le64(~0ull);
                })),
       "does not fit between"},
  });
}

TEST_CASE("names that lead out of a folder are refused, although nothing is unpacked") {
  const auto named = [](const std::string& name) { return two(pickle_part(), {.name = name, .bytes = "x"}); };
  check_zips({
      {"zip slip (Snyk 2018), CVE-2023-5245", named("a/../../etc/passwd"), "is not a plain relative one"},
      {"CVE-2025-12638, Keras", named("../x"), "is not a plain relative one"},
      {"an absolute path", named("/etc/passwd"), "is not a plain relative one"},
      {"a path of Windows", named("a\\..\\x"), "is not a plain relative one"},
      {"a drive of Windows", named("c:x"), "is not a plain relative one"},
      {"a NUL", named(std::string("a/data.pkl\0.txt", 15)), "is not a plain relative one"},
      {"an escape sequence", named("a/\x1B[31m"), "the name \"a/\\x1b[31m\""},
      {"no UTF-8", named("a/\xFF"), "is not a plain relative one"},
      {"no name", named(""), "is not a plain relative one"},
      {"a name of 2000 bytes", named("a/" + std::string(2000, 'x')), "is not a plain relative one"},
  });
}

TEST_CASE("a second pickle that a loader might be led to is never opened (CVE-2025-1889)") {
  const std::string bad = test::pickle::file("cos\nsystem\n");
  CHECK(zip_refusal(two(pickle_part(), {.name = "a/config.p", .bytes = bad})) == "accepted");
}
