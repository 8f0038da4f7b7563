// Vectors that are means of rows: a word's own row and those of its n-grams (base/words/ngrams.h). Rows are
// those of kernels.h.
#pragma once

#include <cstdint>

namespace lmzoo {

struct ComposeKernels {
  // to = (1 / count) · Σ rows. `to` is none of them.
  void (*gather)(const float* const* rows, int64_t count, int64_t stride, float* to);
  // Every row += after - before; a row that stands twice is moved twice.
  void (*scatter)(float* const* rows, int64_t count, int64_t stride, const float* after, const float* before);
};
const ComposeKernels& compose_kernels();  // for this CPU (core/isa.h)

}  // namespace lmzoo
