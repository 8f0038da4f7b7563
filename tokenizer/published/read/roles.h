// What the special tokens of a published tokenizer are for.
#pragma once

#include <vector>

#include "tokenizer/published/pipeline.h"
#include "tokenizer/published/read/kinds.h"
#include "tokenizer/special_tokens.h"

namespace lmzoo::huggingface {

// By what the files and the class name; where they are silent, by the names that everybody uses and, for [CLS] and
// [SEP], by the frame.
SpecialTokens special_tokens_of(const Pipeline& pipeline, const std::vector<NamedToken>& named);

// A tokenizer_config.json for a pipeline that has none.
Json config_of(const SpecialTokens& specials, const Pipeline& pipeline);

}  // namespace lmzoo::huggingface
