// Automatic mixed precision for a scope: inside, products are computed in bfloat16 where LibTorch knows that
// to be safe.
#pragma once

#include <c10/core/DeviceType.h>

#include "train/loop/train_options.h"

namespace lmzoo {

// Only the forward pass belongs into the scope. Leaving the outermost one drops the cached bfloat16 copies of
// the weights, which the next update makes stale.
class PrecisionScope {
 public:
  PrecisionScope(Precision precision, c10::DeviceType device);
  ~PrecisionScope();
  PrecisionScope(const PrecisionScope&) = delete;
  PrecisionScope& operator=(const PrecisionScope&) = delete;

 private:
  bool active_;
  c10::DeviceType device_;
  bool was_enabled_ = false;
  c10::ScalarType old_type_{};
};

}  // namespace lmzoo
