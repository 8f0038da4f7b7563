#include <cstdlib>

#include "base/utf8.h"
#include "fuzz/target.h"

void lmzoo::fuzz::read_input(const Input& input) {
  std::string text(input.bytes);
  replace_invalid_utf8(text);
  if (!is_utf8(text) || text.find('\0') != std::string::npos ||
      printable(input.bytes).find('\n') != std::string::npos) {
    std::abort();
  }
  for (size_t at = 0; at < input.bytes.size();
       at += static_cast<size_t>(code_point_at(input.bytes, at).length)) {
  }
}
