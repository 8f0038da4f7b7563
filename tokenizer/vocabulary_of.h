// What objectives may know of a tokenizer.
#pragma once

#include "base/vocabulary.h"
#include "tokenizer/tokenizer.h"

namespace lmzoo {

// What stands around texts, from two of one id each: one alone, and two as a pair.
InputTemplate input_template(const FramedText& one, const FramedText& pair);

// The tokenizer's vocabulary with where words begin and end, and its frame of special tokens (Tokenizer::with_specials) as a template. A published
// tokenizer's own vocabulary() has it already; that of another one has none, so that a text which belongs to no task
// stays as it is. It may be asked for ids of texts, and then keeps the tokenizer alive.
Vocabulary vocabulary_of(const Tokenizer& tokenizer);

}  // namespace lmzoo
