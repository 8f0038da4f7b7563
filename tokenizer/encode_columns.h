// Columns of a record to ids.
#pragma once

#include "base/sample.h"
#include "text/source.h"
#include "tokenizer/tokenizer.h"

namespace lmzoo {

// Everything but classes, whose indexes the caller knows: texts, choices, target, value, words, passage.
//
// Words are encoded one by one, each with a space before it where the tokenizer would join them otherwise, so
// that every id belongs to one word.
Sample encode_columns(const Tokenizer& tokenizer, const RecordColumns& columns);

// A list of words as tagged text: ids and where each word begins in them.
void encode_words(const Tokenizer& tokenizer, const std::vector<std::string>& words, Sample& sample);

// A text whose lines are its sentences, likewise. A line without an id is none.
Sample encode_sentences(const Tokenizer& tokenizer, std::string_view text);

// A text and the bytes of each of its ids.
std::shared_ptr<const Passage> make_passage(const Tokenizer& tokenizer,
                                            const std::string& text,
                                            const std::vector<ByteSpan>& answers,
                                            std::vector<int64_t>& ids);

}  // namespace lmzoo
