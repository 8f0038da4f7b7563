// The tokenizer whose ids are whole words, for word vectors.
//
// Word i of the vocabulary, the i-th most frequent, is id i; the special tokens and sentinels follow the
// words. A word that is not in the vocabulary is <unk>. decode() puts a space between words.
//
// Saved as lmzoo_tokenizer.json {"type": "words", "sentinels", "lower", "punctuation", and, of a corpus with
// more different words than are counted at once, "missed": WordCounts::missed of count.h}, words.tsv
// ("word TAB count" a line, in the order of the ids) and, with phrases, phrases.tsv (text/words/phrases.h).
#pragma once

#include <map>
#include <memory>
#include <string>

#include "io/json.h"
#include "text/words/count.h"
#include "tokenizer/tokenizer.h"

namespace lmzoo {

inline constexpr const char* kWordsFile = "words.tsv";
inline constexpr const char* kPhrasesFile = "phrases.tsv";

// What a tokenizer of words is made of.
struct WordTable {
  WordCounts words;  // by descending count
  WordRules rules;
  Phrases phrases;
  int64_t sentinels = 0;
};

std::shared_ptr<const Tokenizer> make_words_tokenizer(WordTable table);

// Counts the words of a corpus as the options say.
std::shared_ptr<const Tokenizer> train_words_tokenizer(const TokenizerOptions& options,
                                                       const TextOptions& corpus,
                                                       const Progress& progress);

// From a saved folder whose lmzoo_tokenizer.json is `header`.
std::shared_ptr<const Tokenizer> load_words_tokenizer(const std::string& folder, const Json& header);

}  // namespace lmzoo
