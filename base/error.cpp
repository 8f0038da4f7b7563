#include "base/error.h"

namespace lmzoo {

std::string to_string(const Location& where) {
  std::string text = where.file;
  if (!text.empty() && where.line > 0) {
    text += ":" + std::to_string(where.line);
    if (where.column > 0) {
      text += ":" + std::to_string(where.column);
    }
  }
  return text;
}

}  // namespace lmzoo
