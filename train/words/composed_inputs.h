// Inputs of a group when words have n-grams: each is the mean of several rows, put together for the kernel
// and taken apart again. A change of the mean goes to each of its rows undivided, as in fastText (and as CBOW
// hands its error to the words around). What a group writes, it computes from values before the group, also
// when words share n-grams.
//
// fastText's CBOW averages all rows of all words around at once, so that long words weigh more; here each
// word is averaged first, so that words weigh the same, as they do without n-grams.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "nn/words/compose.h"
#include "nn/words/scratch.h"

namespace lmzoo {

class ComposedInputs {
 public:
  ComposedInputs(int64_t most_inputs, int64_t stride);

  // `rows` of one word after the other, as many of each as `counts` says. What it returns, one for each word,
  // is for a kernel to change.
  float* const* gather(std::span<float* const> rows, std::span<const int32_t> counts);
  void scatter();  // what the kernel changed; the same rows

 private:
  float* before(size_t input) const { return inputs_[input] + stride_; }

  const ComposeKernels& kernels_;
  int64_t stride_;
  Floats64 vectors_;            // [most inputs, 2, stride]
  std::vector<float*> inputs_;  // [most inputs]
  std::span<float* const> rows_;
  std::span<const int32_t> counts_;
};

}  // namespace lmzoo
