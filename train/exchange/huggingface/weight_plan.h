// Which tensor of a file goes where in a model: names of ours joined with names of theirs by a family's map.
// Shared by import and export.
#pragma once

#include <string>
#include <vector>

#include "core/model.h"
#include "core/objective.h"
#include "train/exchange/huggingface/family.h"

namespace lmzoo {

// One tensor of ours and the names of its parts there; a part may have several names (tied).
struct PlannedTensor {
  std::string ours;  // "model.tokens.weight"
  Tensor tensor;
  const NameRule* rule = nullptr;                  // null: the family has no name for it
  bool optional = false;                           // of the model, but not of every checkpoint
  bool head = false;                               // of the objective
  std::vector<int64_t> rows{};                     // of each part
  std::vector<std::vector<std::string>> theirs{};  // of each part: its names
};

struct PlannedNames {
  const HeadNames* head = nullptr;  // of the objective; null: none
  std::string prefix{};             // of the body
  std::vector<int64_t> layers{};    // {n} of theirs for each of ours; empty: the same
};

// The map must outlive the result
std::vector<PlannedTensor> plan_weights(const Model& model,
                                        const Objective* objective,
                                        const NameMap& names,
                                        const PlannedNames& wanted);

}  // namespace lmzoo
