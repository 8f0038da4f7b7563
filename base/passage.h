// A text as text, for what must come back from ids to it: the passage in which a question is answered.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace lmzoo {

// Half-open range of bytes of a text.
struct ByteSpan {
  int64_t begin = 0, end = 0;

  bool operator==(const ByteSpan&) const = default;
};

// The text in which a question is answered, and what is needed to come back from ids to it.
struct Passage {
  std::string text;               // UTF-8
  std::vector<ByteSpan> ids;      // where each id of the encoded text stands
  std::vector<ByteSpan> answers;  // that people gave; none: it has no answer

  std::string part(ByteSpan span) const {
    return text.substr(static_cast<size_t>(span.begin), static_cast<size_t>(span.end - span.begin));
  }
};

}  // namespace lmzoo
