// Lines of a text file, plain or gzip, with bounded memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/error.h"

namespace lmzoo {

struct LineOptions {
  size_t max_line_bytes = size_t{64} << 20;
};

//   LineReader lines(path);
//   std::string line;
//   while (lines.next(line)) { ... lines.where() ... }
//
// Line ends are LF or CRLF and are not part of a line; a byte order mark at the start is dropped; the last
// line needs no end. gzip is recognized by its content; a file named .gz must have it. A line over the limit,
// a damaged or a truncated gzip file are InputErrors with file and line, and so is a file that its first bytes tell to
// be no text (io/foreign_format.h).
class LineReader {
 public:
  explicit LineReader(const std::string& path, const LineOptions& options = {});
  ~LineReader();
  LineReader(LineReader&&) noexcept;
  LineReader& operator=(LineReader&&) noexcept;

  bool next(std::string& line);
  Location where() const;       // of the line that next() gave last
  uint64_t bytes_read() const;  // of the file as it lies on the disk, for progress
  uint64_t file_bytes() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace lmzoo
