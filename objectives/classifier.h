// What a finished classifier can be asked; the classification objective answers it, so that inference need
// not know which objective trained a model.
//
// Legend: n sequences, C classes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/batch.h"
#include "core/model.h"

namespace lmzoo {

class Classifier {
 public:
  virtual ~Classifier() = default;

  // Names, in the order of the scores.
  virtual const std::vector<std::string>& classes() const = 0;
  // A text of at most Objective::lengths().raw ids, with the special ids of training around it.
  virtual std::vector<int64_t> input_ids(std::span<const int64_t> content) const = 0;
  // Logits of every sequence: [n, C].
  virtual Tensor scores(Model& model, const Inputs& inputs) = 0;
};

}  // namespace lmzoo
