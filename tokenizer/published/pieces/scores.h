// The last bit of a unigram model's scores, on which hangs which of two equally likely segmentations is
// taken.
//
// Hugging Face's `tokenizers` does not read the double nearest to a number's text: it rounds the digits as a
// whole number to a double, and divides by a power of ten, which rounds again (serde_json without
// `float_roundtrip`: de.rs, f64_from_parts). A fifth of the scores that were written with 17 digits become a
// neighbor.
#pragma once

#include "io/json.h"

namespace lmzoo::huggingface {

// What `tokenizers` reads of the shortest text that stands for `score`, which is the text that it writes.
double score_as_read(double score);

// The scores of a tokenizer.json that was parsed, if its model is a unigram one; anything else in it is left
// alone.
void take_scores_as_read(Json& tokenizer);

// Scores of float32 precision in as few digits as that has: what is written is what all read.
void shorten_scores(Json& tokenizer);

}  // namespace lmzoo::huggingface
