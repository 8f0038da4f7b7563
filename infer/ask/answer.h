// Answers to questions by a fine-tuned run.
#pragma once

#include <string>
#include <vector>

#include "train/run/assemble.h"

namespace lmzoo {

struct Question {
  std::string question, passage;
};

// The best candidates of each question, the answer first; an empty text: the passage has none.
std::vector<PassageAnswer> answer_questions(const Parts& parts,
                                            const Tokenizer& tokenizer,
                                            const std::vector<Question>& questions);

}  // namespace lmzoo
