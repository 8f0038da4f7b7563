// A line of what `lmzoo forward` reads: {"ids": [...], "decoder_ids": [...], "token_types": [...]}, or {"text": "..."}
// in place of `ids`. Knows no model and no tokenizer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "io/json.h"

namespace lmzoo {

struct ForwardLine {
  std::optional<std::string> text{};
  std::vector<int64_t> ids{};  // empty beside a text
  std::optional<std::vector<int64_t>> decoder_ids{};
  std::vector<int64_t> token_types{};
};

// `rows`: ids are 0 to rows - 1. InputError at `where` for other keys, types and numbers.
ForwardLine parse_forward_line(const Json& line, int64_t rows, const Location& where);

}  // namespace lmzoo
