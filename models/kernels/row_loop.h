// Loops over the columns of a row, vector by vector, with the row's dropout decisions. Kernel units only.
#pragma once

#include "core/simd.h"
#include "models/kernels/dropout_mask.h"

namespace lmzoo::LMZOO_ISA {

// How many lanes of a vector are columns: all of them (known when compiled), or the rest of a row.
struct All {};
struct Part {
  int64_t count;
};

template <class Number>
LMZOO_INLINE Vec load(const Number* from, All) {
  return load(from);
}
template <class Number>
LMZOO_INLINE Vec load(const Number* from, Part part) {
  Number lanes[kLanes] = {};
  std::memcpy(lanes, from, static_cast<size_t>(part.count) * sizeof(Number));
  return load(lanes);
}

template <class Number>
LMZOO_INLINE void store(Number* to, Vec x, All) {
  store(to, x);
}
template <class Number>
LMZOO_INLINE void store(Number* to, Vec x, Part part) {
  Number lanes[kLanes];
  store(lanes, x);
  std::memcpy(to, lanes, static_cast<size_t>(part.count) * sizeof(Number));
}

LMZOO_INLINE void add(float* to, Vec x, All) { store(to, load(to) + x); }
LMZOO_INLINE void add(float* to, Vec x, Part part) { store(to, load(to, part) + x, part); }

LMZOO_INLINE Bits lane_numbers() {
  Bits lanes;
  for (int i = 0; i < kLanes; ++i) {
    lanes[i] = static_cast<uint32_t>(i);
  }
  return lanes;
}

// x where there is a column, 0 elsewhere.
LMZOO_INLINE Vec columns_only(Vec x, All) { return x; }
LMZOO_INLINE Vec columns_only(Vec x, Part part) {
  return select(lane_numbers() < static_cast<uint32_t>(part.count), x, Vec{});
}

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

// The same without dropout.
template <class Body>
LMZOO_INLINE void for_each_vector(int64_t width, const Body& body) {
  for_each_vector<false>(
      width, {}, 0, [&](int64_t column, auto part, Vec) LMZOO_INLINE_LAMBDA { body(column, part); });
}

}  // namespace lmzoo::LMZOO_ISA
