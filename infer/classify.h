// Classes of texts by a fine-tuned run.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/model.h"
#include "core/objective.h"
#include "data/tokenizer/tokenizer.h"

namespace lmzoo {

struct Classification {
  std::string text;
  std::vector<std::pair<std::string, double>> classes;  // best first, with probabilities
};

// Texts longer than the objective takes are cut at its length, as in training. Throws InputError when the
// objective is no classifier.
std::vector<Classification> classify(Model& model,
                                     Objective& objective,
                                     const Tokenizer& tokenizer,
                                     const std::vector<std::string>& texts);

}  // namespace lmzoo
