// What the special tokens of a published tokenizer are for.
#pragma once

#include "tokenizer/published/pipeline.h"
#include "tokenizer/published/read/legacy.h"
#include "tokenizer/special_tokens.h"

namespace lmzoo::huggingface {

// By tokenizer_config.json and special_tokens_map.json; where they are silent, by the names that everybody
// uses.
SpecialTokens special_tokens_of(const Pipeline& pipeline, const FolderHints& hints);

// A tokenizer_config.json for a pipeline that has none.
Json config_of(const SpecialTokens& specials);

}  // namespace lmzoo::huggingface
