// Embeddings that are taken over belong to the pieces of the tokenizer that they were trained with.
#pragma once

#include <string>

#include "tokenizer/tokenizer.h"

namespace lmzoo {

// How many ids of `tokenizer` are other pieces than they were for the weights of `from` (a run, a checkpoint or a
// published folder; empty: none), in one line; empty when none are, or when nothing is known of their tokenizer.
std::string other_pieces(const std::string& from, const Tokenizer& tokenizer);

}  // namespace lmzoo
