// Weights that are no numbers are not saved: the healthy checkpoint before them would be removed for theirs.
#pragma once

#include <cstdint>

#include "core/parameters.h"

namespace lmzoo {

struct SavePoint {
  int64_t step = 0;
  int64_t saved = 0;  // the step of the newest checkpoint; 0: there is none
};

// InputError with the name of a tensor that is not finite: an update may overflow although loss and gradient were
// finite. Waits for the device once.
void check_finite(const NamedTensors& weights, const SavePoint& at);

}  // namespace lmzoo
