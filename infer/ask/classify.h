// Classes, numbers and choices for texts by a fine-tuned run.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "train/run/assemble.h"

namespace lmzoo {

struct Classification {
  std::string text;
  std::vector<std::pair<std::string, double>>
      classes;                    // best first, with probabilities; of choices their texts
  std::optional<double> value{};  // of a regression, which has no classes
};

// A text, or a pair with a tab between. For a multiple choice: the text and its choices, with tabs between.
std::vector<Classification> classify(const Parts& parts,
                                     const Tokenizer& tokenizer,
                                     const std::vector<std::string>& texts);

}  // namespace lmzoo
