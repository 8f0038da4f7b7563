#include "io/foreign_format.h"

#include <algorithm>
#include <utility>

namespace lmzoo {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kUtf16 = "UTF-16 text; convert it, as in iconv -f UTF-16 -t UTF-8";
constexpr std::string_view kUtf32 = "UTF-32 text; convert it, as in iconv -f UTF-32 -t UTF-8";
constexpr std::string_view kParquet = "a Parquet file; write its column of text to JSON lines first";
constexpr std::string_view kArrow = "an Arrow file; write its column of text to JSON lines first";

// In this order: what begins like another comes first.
constexpr std::pair<std::string_view, std::string_view> kFormats[] = {
    {"\xFF\xFE\0\0"sv, kUtf32},
    {"\0\0\xFE\xFF"sv, kUtf32},
    {"\xFF\xFE"sv, kUtf16},
    {"\xFE\xFF"sv, kUtf16},
    {"\xFD"
     "7zXZ\0"sv,
     "an xz file; unpack it with xz -d, or pack it with gzip"},
    {"BZh91AY&SY"sv, "a bzip2 file; unpack it with bunzip2, or pack it with gzip"},
    {"\x28\xB5\x2F\xFD"sv, "a Zstandard file; unpack it with zstd -d, or pack it with gzip"},
    {"\x04\x22\x4D\x18"sv, "an LZ4 file; unpack it with lz4 -d, or pack it with gzip"},
    {"PK\x03\x04"sv, "a zip archive; unpack it with unzip"},
    {"7z\xBC\xAF\x27\x1C"sv, "a 7z archive; unpack it with 7z x"},
    {"PAR1"sv, kParquet},
    {"ARROW1"sv, kArrow},
    {"FEA1"sv, kArrow},
    {"\xFF\xFF\xFF\xFF"sv, kArrow},  // a stream: the mark of continuation
    {"%PDF-"sv, "a PDF file; extract its text first"},
    {"SQLite format 3\0"sv, "an SQLite database; export a table of it as TSV"},
    {"\x89HDF\r\n\x1A\n"sv, "an HDF5 file; write its text to JSON lines first"},
    {"\x93NUMPY"sv, "a NumPy array; write its text to lines first"},
    {"\x7F"
     "ELF"sv,
     "a program"},
};

// Of plain letters every second byte is NUL.
bool is_bare_utf16(std::string_view head) {
  const size_t pairs = head.size() / 2;
  size_t even = 0, odd = 0;
  for (size_t i = 0; i < pairs; ++i) {
    even += head[2 * i] == '\0';
    odd += head[2 * i + 1] == '\0';
  }
  return pairs >= 4 && std::max(even, odd) * 10 >= pairs * 6 && std::min(even, odd) * 10 <= pairs;
}

}  // namespace

std::optional<std::string_view> foreign_format(std::string_view head) {
  for (const auto& [mark, what] : kFormats) {
    const bool is_bzip2 = mark.starts_with("BZh");  // whose fourth byte is a level
    const bool fits = is_bzip2 ? head.starts_with("BZh") && head.size() >= mark.size() &&
                                     head.substr(4, mark.size() - 4) == mark.substr(4)
                               : head.starts_with(mark);
    if (fits) {
      return what;
    }
  }
  return is_bare_utf16(head) ? std::optional(kUtf16) : std::nullopt;
}

}  // namespace lmzoo
