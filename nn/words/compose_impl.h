// The loops of compose.h, for the instruction set of the unit that includes this (core/simd.h). Columns
// outside, rows inside: the first column asks for all rows at once, so their memory is waited for once.
#pragma once

#include "core/simd.h"
#include "nn/words/compose.h"

namespace lmzoo::LMZOO_ISA {

inline void gather(const float* const* rows, int64_t count, int64_t stride, float* to) {
  const Vec share = splat(1.0f / static_cast<float>(count));
  for (int64_t i = 0; i < stride; i += kLanes) {
    Vec sum{};
    for (int64_t r = 0; r < count; ++r) {
      sum += load(rows[r] + i);
    }
    store(to + i, sum * share);
  }
}

inline void scatter(
    float* const* rows, int64_t count, int64_t stride, const float* after, const float* before) {
  for (int64_t i = 0; i < stride; i += kLanes) {
    const Vec change = load(after + i) - load(before + i);
    for (int64_t r = 0; r < count; ++r) {
      store(rows[r] + i, load(rows[r] + i) + change);
    }
  }
}

const ComposeKernels& compose_kernels();
const ComposeKernels& compose_kernels() {
  static constexpr ComposeKernels kernels{&gather, &scatter};
  return kernels;
}

}  // namespace lmzoo::LMZOO_ISA
