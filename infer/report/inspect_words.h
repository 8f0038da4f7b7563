// What a training of word vectors computes of a text: the words around, the word, and what it is told from.
#pragma once

#include <vector>

#include "infer/report/inspect.h"
#include "tokenizer/tokenizer.h"
#include "train/words/corpus.h"
#include "train/words/groups.h"

namespace lmzoo {

// The first sentences of the first pass, with the words that their loop drops and the negatives that it draws.
struct InspectWords {
  uint64_t seed = 0;  // of the run
  int64_t count = 0;  // sentences
};
std::vector<InspectedExample> inspect_sentences(const WordTask& task,
                                                const WordCorpus& corpus,
                                                const Tokenizer& tokenizer,
                                                const InspectWords& what);

std::string to_terminal(const std::vector<InspectedGroup>& groups, bool color);
std::string to_html(const std::vector<InspectedGroup>& groups);
Json to_json(const std::vector<InspectedGroup>& groups);

}  // namespace lmzoo
