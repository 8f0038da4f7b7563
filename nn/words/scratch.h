// The memory that the kernels of one thread need.
#pragma once

#include <memory>

#include "nn/words/kernels.h"

namespace lmzoo {

// Floats on cache lines of their own.
struct FreeFloats {
  void operator()(float* memory) const;
};
using Floats64 = std::unique_ptr<float, FreeFloats>;
Floats64 aligned_floats(int64_t count);  // uninitialized

class OwnedScratch {
 public:
  OwnedScratch(int64_t max_inputs, int64_t max_outputs, int64_t stride);
  KernelScratch& get() { return scratch_; }

 private:
  Floats64 memory_;
  KernelScratch scratch_;
};

}  // namespace lmzoo
