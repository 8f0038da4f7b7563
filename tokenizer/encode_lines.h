// Texts of a file of JSON lines to ids, and ids as people write them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "io/json.h"
#include "tokenizer/tokenizer.h"

namespace lmzoo {

struct EncodeLinesOptions {
  bool marked = false;   // names of special tokens such as [MASK] mean the token
  bool offsets = false;  // "begin" and "end" of each id, bytes of the text, too
  bool framed = false;   // "framed" and "token_types": the ids between their special tokens, too
  bool decoded = false;  // "decoded": the ids as text again, too
};

// Calls `use` with {"ids": [...], ...} for each line {"text": "..."}.
void encode_lines(const std::string& file,
                  const Tokenizer& tokenizer,
                  const EncodeLinesOptions& options,
                  const std::function<void(const Json&)>& use);

// "[1, 2, 3]", "1 2 3" or "1,2,3".
std::vector<int64_t> parse_ids(std::string_view text);

}  // namespace lmzoo
