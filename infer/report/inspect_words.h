// What a training of word vectors computes of a text: the words around, the word, and what it is told from.
#pragma once

#include <vector>

#include "infer/report/inspect.h"
#include "train/words/groups.h"

namespace lmzoo {

// The groups of one sentence, as the loop of word vectors draws them from this seed.
std::vector<InspectedGroup> inspect_groups(const WordTask& task,
                                           const Tokenizer& tokenizer,
                                           const std::vector<int64_t>& sentence,
                                           uint64_t seed);

std::string to_terminal(const std::vector<InspectedGroup>& groups, bool color);
std::string to_html(const std::vector<InspectedGroup>& groups);
Json to_json(const std::vector<InspectedGroup>& groups);

}  // namespace lmzoo
