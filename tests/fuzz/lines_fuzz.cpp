#include "base/utf8.h"
#include "fuzz/target.h"
#include "io/lines.h"

void lmzoo::fuzz::read_input(const Input& input) {
  LineReader lines(input.path, {.max_line_bytes = 1 << 20});
  std::string line;
  // A gzip file may unpack to a thousand times its size, a line at a time.
  for (int i = 0; i < 10'000 && lines.next(line); ++i) {
    replace_invalid_utf8(line);
    touch(line.data(), line.size());
  }
}
