// What objectives may know of a tokenizer.
#pragma once

#include "base/vocabulary.h"
#include "tokenizer/tokenizer.h"

namespace lmzoo {

// The tokenizer's vocabulary with its frame of special tokens (Tokenizer::with_specials) as a template.
Vocabulary vocabulary_of(const Tokenizer& tokenizer);

}  // namespace lmzoo
