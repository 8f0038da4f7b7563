// Where words begin and end, told by the pieces alone, for objectives that hide whole words (Devlin's whole word
// masking of 2019 for "##"; fairseq's for the others). A vocabulary marks it in one of these ways, the one that
// most of its pieces follow:
//
//   continued     ow ##l          WordPiece: what does not begin with ## begins a word
//   begun         ▁ow l, Ġow l    SentencePiece, byte-level BPE: what begins with the mark does
//   ended         ow l</w>        GPT-1: a word ends behind the mark
//   spaces        o w l           characters and bytes: a space begins a word, as ▁ does
//
// Of the tokenizer `words` every id is a word. Punctuation without a space before it belongs to the word that it
// follows, but for WordPiece, which splits it off. A special token is a word of its own.
#pragma once

#include <vector>

#include "tokenizer/tokenizer.h"

namespace lmzoo {

std::vector<WordEdges> word_edges(const Tokenizer& tokenizer);  // of each id

}  // namespace lmzoo
