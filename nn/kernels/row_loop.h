// The loop of core/simd_row.h with the dropout decisions of the row. Kernel units only.
#pragma once

#include "core/simd_row.h"
#include "nn/kernels/dropout_mask.h"

namespace lmzoo::LMZOO_ISA {

// Which lanes survive, of columns l.. and of 16 + l.. of a group of 32 (dropout_mask.h).
struct KeptLanes {
  Int low, high;
};

LMZOO_INLINE KeptLanes kept_lanes(const DropoutRow& key, uint32_t threshold, int64_t column, int lane) {
  const auto first = static_cast<uint32_t>(column / 2 + lane);
  const Bits bits = dropout_bits(key, lane_numbers() + first);
  return {(bits & 0xffffu) >= threshold, (bits >> 16) >= threshold};
}

// Calls body(column, All or Part, factor) for the vectors of a row; factor is 0 in dropped lanes, else the
// mask's scale.
template <bool kDrop, class Body>
LMZOO_INLINE void for_each_vector(int64_t width, const DropoutMask& mask, int64_t row, const Body& body) {
  const DropoutRow key = kDrop ? dropout_row(mask.seed, static_cast<uint64_t>(row)) : DropoutRow{};
  const auto factors = [&](int64_t column, int lane, Vec& low, Vec& high) LMZOO_INLINE_LAMBDA {
    low = high = splat(1.0f);
    if constexpr (kDrop) {
      const KeptLanes kept = kept_lanes(key, mask.threshold, column, lane);
      low = select(kept.low, splat(mask.scale), Vec{});
      high = select(kept.high, splat(mask.scale), Vec{});
    }
  };
  Vec low;
  Vec high;
  int64_t column = 0;
  for (; column + kDropoutGroup <= width; column += kDropoutGroup) {
    for (int lane = 0; lane < 16; lane += kLanes) {
      factors(column, lane, low, high);
      body(column + lane, All{}, low);
      body(column + lane + 16, All{}, high);
    }
  }
  for (int lane = 0; column + lane < width && lane < 16; lane += kLanes) {
    factors(column, lane, low, high);
    for (int half = 0; half < 2; ++half) {
      const int64_t first = column + lane + 16 * half;
      const int64_t left = width - first;
      if (left > 0) {
        body(first, Part{left < kLanes ? left : kLanes}, half == 0 ? low : high);
      }
    }
  }
}

}  // namespace lmzoo::LMZOO_ISA
