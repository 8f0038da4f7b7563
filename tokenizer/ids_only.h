// The vocabulary of a checkpoint that came without a tokenizer: ids and what some of them are for, but no
// text. Whoever wants text is told so.
#pragma once

#include <memory>

#include "io/json.h"
#include "tokenizer/tokenizer.h"

namespace lmzoo {

// `special` needs no names; size and the special ids count.
std::shared_ptr<const Tokenizer> make_ids_only_tokenizer(const Vocabulary& special);

// From the lmzoo_tokenizer.json of one: {"type": "ids", "size": 100, "pad": 0, ...}. `path` is for messages.
std::shared_ptr<const Tokenizer> load_ids_only_tokenizer(const Json& saved, const std::string& path);

}  // namespace lmzoo
