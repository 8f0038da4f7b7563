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

// As many texts a line as the run was trained on, with tabs between; of a multiple choice the choices behind them.
// InputError for a line of another shape.
std::vector<Classification> classify(const Parts& parts,
                                     const Tokenizer& tokenizer,
                                     const std::vector<std::string>& texts);

}  // namespace lmzoo
