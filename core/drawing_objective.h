// An objective that draws says what it draws, for everybody to count (core/witness.h).
#pragma once

#include <vector>

#include "core/objective.h"
#include "core/promise.h"

namespace lmzoo {

class DrawingObjective : public Objective {
 public:
  // To be asked while the objective lives.
  virtual std::vector<Promise> promises() const = 0;
};

}  // namespace lmzoo
