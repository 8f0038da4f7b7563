// What was read of a text, and what of it was not as it stands in the files.
#pragma once

#include <cstdint>

namespace lmzoo {

struct TextCounts {
  int64_t records = 0;
  int64_t bytes = 0;          // of the records' text
  int64_t words = 0;          // of the records' text: what stands between white space
  int64_t blank = 0;          // lines or records without text, skipped
  int64_t invalid_bytes = 0;  // broken UTF-8 sequences and NUL bytes replaced
  int64_t quoted =
      0;  // rows of tsv with a cell between quotation marks, as CSV writes it (TextOptions::quotes)
  bool whole = true;  // nobody stopped the reading before the end

  bool operator==(const TextCounts&) const = default;
};

}  // namespace lmzoo
