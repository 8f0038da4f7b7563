#include "nn/words/scratch.h"

#include <cstdlib>
#include <new>

namespace lmzoo {

void FreeFloats::operator()(float* memory) const { std::free(memory); }

Floats64 aligned_floats(int64_t count) {
  constexpr size_t kLine = 64;
  const size_t bytes = static_cast<size_t>(count) * sizeof(float);
  Floats64 memory(static_cast<float*>(std::aligned_alloc(kLine, (bytes + kLine - 1) / kLine * kLine)));
  if (memory == nullptr) {
    throw std::bad_alloc();
  }
  return memory;
}

OwnedScratch::OwnedScratch(int64_t max_inputs, int64_t max_outputs, int64_t stride) {
  // Vector stores run over the last cell.
  const int64_t cells = padded_width(max_inputs * max_outputs + kRowFloats);
  const int64_t copies = (max_inputs < 2 ? 2 : max_inputs) * stride;
  memory_ = aligned_floats(2 * cells + copies);
  scratch_ = {.scores = memory_.get(), .gradients = memory_.get() + cells, .rows = memory_.get() + 2 * cells};
}

}  // namespace lmzoo
