// Loops over the columns of a row, vector by vector, the last one partly filled. Kernel units only
// (core/simd.h).
#pragma once

#include "core/simd.h"

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

// x where there is a column, `other` elsewhere.
LMZOO_INLINE Vec columns_or(Vec x, float, All) { return x; }
LMZOO_INLINE Vec columns_or(Vec x, float other, Part part) {
  return select(lane_numbers() < static_cast<uint32_t>(part.count), x, splat(other));
}

// Calls body(column, All or Part) for the vectors of a row.
template <class Body>
LMZOO_INLINE void for_each_vector(int64_t width, const Body& body) {
  int64_t column = 0;
  for (; column + kLanes <= width; column += kLanes) {
    body(column, All{});
  }
  if (column < width) {
    body(column, Part{width - column});
  }
}

}  // namespace lmzoo::LMZOO_ISA
