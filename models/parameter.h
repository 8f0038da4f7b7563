// Where new parameters live. Normally the CPU; inside a MetaScope they have shapes but no memory, so that
// `lmzoo plan` counts a model of any size in no time.
#pragma once

#include <torch/types.h>

namespace lmzoo {

class MetaScope {
 public:
  MetaScope();
  ~MetaScope();
  MetaScope(const MetaScope&) = delete;
  MetaScope& operator=(const MetaScope&) = delete;

 private:
  bool before_;
};

// An uninitialized float32 tensor on the device of the scope.
torch::Tensor new_parameter(at::IntArrayRef shape);

}  // namespace lmzoo
