#include "io/lines.h"

#include <filesystem>

#include <zlib.h>

#include "support/catch.h"
#include "support/files.h"
#include "support/mutants.h"

using namespace lmzoo;

namespace {

std::string gzip(const std::string& bytes) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::vector<std::string> lines_of(const std::string& path, const LineOptions& options = {}) {
  LineReader reader(path, options);
  std::vector<std::string> lines;
  for (std::string line; reader.next(line);) {
    lines.push_back(line);
  }
  return lines;
}

std::vector<std::string> lines_in(const std::string& bytes, const std::string& name = "a.txt") {
  const test::TempDir dir;
  test::write_file(dir / name, bytes);
  return lines_of(dir / name);
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("lines come without their ends, LF or CRLF, with or without the last one") {
  CHECK(lines_in("").empty());
  CHECK(lines_in("a\nb\n") == Lines{"a", "b"});
  CHECK(lines_in("a\nb") == Lines{"a", "b"});
  CHECK(lines_in("\n\na\r\n\r\nb\rc") == Lines{"", "", "a", "", "b\rc"});
  CHECK(lines_in("\xEF\xBB\xBF"
                 "a\n") == Lines{"a"});
  CHECK(lines_in(std::string("a\0b\xFF\n", 5)) == Lines{std::string("a\0b\xFF", 4)});
}

TEST_CASE("files that are no text are refused by what their bytes say, packed ones too") {
  using namespace std::string_literals;
  const auto refused = [](const std::string& bytes, const std::string& what) {
    const test::TempDir dir;
    test::write_file(dir / "a.txt", bytes);
    CHECK_THROWS_WITH(lines_of(dir / "a.txt"), Catch::Contains("a.txt: is " + what));
  };
  const auto wide = [](const std::string& text, size_t at) {
    std::string bytes(2 * text.size(), '\0');
    for (size_t i = 0; i < text.size(); ++i) {
      bytes[2 * i + at] = text[i];
    }
    return bytes;
  };
  refused("\xFF\xFE" + wide("an owl\n", 0), "UTF-16");
  refused("\xFE\xFF" + wide("an owl\n", 1), "UTF-16");
  refused(wide("an owl\n", 0), "UTF-16");
  refused(gzip(wide("an owl\n", 1)), "UTF-16");
  refused("\xFF\xFE\0\0a\0\0\0"s, "UTF-32");
  refused(
      "\xFD"
      "7zXZ\0\0"s,
      "an xz file");
  refused("BZh61AY&SY..", "a bzip2 file");
  refused("\x28\xB5\x2F\xFD..", "a Zstandard file");
  refused("PK\x03\x04..", "a zip archive");
  refused("PAR1..", "a Parquet file");
  refused("ARROW1\0\0"s, "an Arrow file");
  refused("%PDF-1.7\n", "a PDF file");
  CHECK(lines_in("BZh is no archive\nPK\n") == Lines{"BZh is no archive", "PK"});
  CHECK(lines_in("a\0b\0c"s) == Lines{"a\0b\0c"s});  // NULs alone do not make it UTF-16
}

TEST_CASE("gzip is read like plain text, several members too") {
  CHECK(lines_in(gzip("a\nb"), "a.gz") == Lines{"a", "b"});
  CHECK(lines_in(gzip("a\nb") + gzip("c\nd\n"), "a.gz") == Lines{"a", "bc", "d"});
  CHECK(lines_in(gzip("a\nb"), "a.txt") == Lines{"a", "b"});
  CHECK(lines_in(gzip(""), "a.gz").empty());
}

TEST_CASE("lines over several chunks are put together and counted") {
  const test::TempDir dir;
  std::string text;
  for (int i = 0; i < 2000; ++i) {
    text += std::string(static_cast<size_t>(i), 'x') + "\n";
  }
  test::write_file(dir / "a.txt", text);
  LineReader reader(dir / "a.txt");
  CHECK(reader.file_bytes() == text.size());
  std::string line;
  for (int i = 0; i < 2000; ++i) {
    REQUIRE(reader.next(line));
    REQUIRE(line.size() == static_cast<size_t>(i));
    REQUIRE(reader.where() == Location{dir / "a.txt", i + 1});
  }
  CHECK_FALSE(reader.next(line));
  CHECK(reader.bytes_read() == text.size());
}

TEST_CASE("a line over the limit is one error with file and line, however long it is") {
  const test::TempDir dir;
  test::write_file(dir / "a.txt", "short\n" + std::string(3'000'000, 'x'));
  CHECK_THROWS_WITH(lines_of(dir / "a.txt", {.max_line_bytes = 1 << 20}),
                    dir / "a.txt" + ":2: the line is longer than the limit of 1.00 MiB");
  CHECK(lines_of(dir / "a.txt", {.max_line_bytes = 3'000'000}).size() == 2);
  // A gigabyte of one line out of a megabyte.
  std::string bomb;
  const std::string member = gzip(std::string(16 << 20, 'x'));
  for (int i = 0; i < 64; ++i) {
    bomb += member;
  }
  test::write_file(dir / "bomb.gz", bomb);
  CHECK_THROWS_WITH(lines_of(dir / "bomb.gz"),
                    dir / "bomb.gz" + ":1: the line is longer than the limit of 64.0 MiB");
}

TEST_CASE("a gzip file that is none, damaged or cut off is refused") {
  const test::TempDir dir;
  test::write_file(dir / "plain.gz", "a\nb\n");
  CHECK_THROWS_WITH(lines_of(dir / "plain.gz"), dir / "plain.gz" + ": is named .gz but is not gzip data");
  std::string text;
  for (int64_t i = 0; i < 300'000; ++i) {
    text += std::to_string(i * 7919 % 100'003) + "\n";
  }
  const std::string packed = gzip(text);
  test::write_file(dir / "cut.gz", packed.substr(0, packed.size() / 2));
  CHECK_THROWS_WITH(
      lines_of(dir / "cut.gz"),
      Catch::StartsWith(dir / "cut.gz" + ":") && Catch::EndsWith(": the gzip file is truncated"));
  std::string damaged = packed;
  damaged[packed.size() - 6] ^= 1;  // the checksum
  test::write_file(dir / "crc.gz", damaged);
  CHECK_THROWS_WITH(lines_of(dir / "crc.gz"), Catch::EndsWith(": the gzip file is damaged"));
}

TEST_CASE("damaged gzip is lines or an InputError") {
  const test::TempDir dir;
  const test::MutantCount count =
      test::read_mutants(gzip("one\ntwo\nthree\n"), 1'000, [&](const std::string& bytes) {
        std::filesystem::remove(dir /
                                "a.txt");  // some file systems wait for the disk when a file is written over
        test::write_file(dir / "a.txt", bytes);
        lines_of(dir / "a.txt");
      });
  CHECK(count.refused > 200);
}

TEST_CASE("a missing text file or a folder is named") {
  const test::TempDir dir;
  CHECK_THROWS_WITH(LineReader(dir / "no.txt"), dir / "no.txt" + ": no such file");
  CHECK_THROWS_WITH(LineReader(dir.path().string()), dir.path().string() + ": is a folder, not a file");
}
