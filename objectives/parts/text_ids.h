// Ids of what an objective's options name in words.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/vocabulary.h"

namespace lmzoo {

// Ids of a text. A tokenizer that is yet to be trained cannot tell them; a plan then counts as many as there may be: one a
// byte, and one that begins a word.
std::vector<int64_t> ids_of_text(const Vocabulary& vocabulary, std::string_view text);

// The token of this name: `<extra_id_I>` is sentinel I, others are pieces of the tokenizer. InputError when there is none.
int64_t named_token(const Vocabulary& vocabulary, std::string_view name, std::string_view user);

}  // namespace lmzoo
