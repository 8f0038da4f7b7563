#include "train/words/composed_inputs.h"

#include <cstring>

namespace lmzoo {

ComposedInputs::ComposedInputs(int64_t most_inputs, int64_t stride)
    : kernels_(compose_kernels()), stride_(stride), vectors_(aligned_floats(2 * most_inputs * stride)) {
  for (int64_t i = 0; i < most_inputs; ++i) {
    inputs_.push_back(vectors_.get() + 2 * i * stride);
  }
}

float* const* ComposedInputs::gather(std::span<float* const> rows, std::span<const int32_t> counts) {
  rows_ = rows;
  counts_ = counts;
  float* const* next = rows.data();
  for (size_t i = 0; i < counts.size(); ++i) {
    kernels_.gather(next, counts[i], stride_, before(i));
    std::memcpy(inputs_[i], before(i), sizeof(float) * static_cast<size_t>(stride_));
    next += counts[i];
  }
  return inputs_.data();
}

void ComposedInputs::scatter() {
  float* const* next = rows_.data();
  for (size_t i = 0; i < counts_.size(); ++i) {
    kernels_.scatter(next, counts_[i], stride_, inputs_[i], before(i));
    next += counts_[i];
  }
}

}  // namespace lmzoo
