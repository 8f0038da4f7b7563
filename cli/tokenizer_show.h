// What `lmzoo tokenizer` shows beyond one text's ids.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/flags.h"
#include "tokenizer/tokenizer.h"

namespace lmzoo {

// A JSON object for each line {"text": "..."} of the file --jsonl: "ids" and, if asked for, "begin" and "end"
// (--offsets, bytes), "framed" and "token_types" (--framed), "decoded" (--decoded).
void encode_lines(const Flags& flags, const Tokenizer& tokenizer);

// Each word's segmentations side by side, with the trace of the merges.
void show_segmentations(const Flags& flags,
                        const std::string& text,
                        const std::vector<std::shared_ptr<const Tokenizer>>& tokenizers);

}  // namespace lmzoo
