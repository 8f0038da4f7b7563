// Vectors of the instruction set that a unit is compiled for, by the compiler's vector extensions. Only
// kernel units
// (*_avx512.cpp, *_avx2.cpp, *_generic.cpp) include this. Everything is in a namespace of its instruction
// set, and nothing of the standard library or LibTorch is used, so that no inline function compiled for a
// richer instruction set can take the place of one for a poorer (the linker keeps one of each name).
#pragma once

#include <cstdint>
#include <cstring>

#if defined(__AVX512F__)
#include <immintrin.h>
#define LMZOO_ISA avx512
#elif defined(__AVX2__)
#include <immintrin.h>
#define LMZOO_ISA avx2
#else
#define LMZOO_ISA generic
#endif

#define LMZOO_INLINE inline __attribute__((always_inline))
#define LMZOO_INLINE_LAMBDA __attribute__((always_inline))

namespace lmzoo::LMZOO_ISA {

#if defined(__AVX512F__)
inline constexpr int kLanes = 16;
#elif defined(__AVX2__)
inline constexpr int kLanes = 8;
#else
inline constexpr int kLanes = 4;
#endif

using Vec = float __attribute__((vector_size(4 * kLanes)));
using Int = int32_t __attribute__((vector_size(4 * kLanes)));
using Bits = uint32_t __attribute__((vector_size(4 * kLanes)));
using Half = uint16_t __attribute__((vector_size(2 * kLanes)));

// bfloat16 in memory: the upper half of a float32.
struct BFloat {
  uint16_t bits;
};

template <class To, class From>
LMZOO_INLINE To bit_cast(const From& from) {
  static_assert(sizeof(To) == sizeof(From));
  return __builtin_bit_cast(To, from);
}

LMZOO_INLINE Vec splat(float x) { return Vec{} + x; }
LMZOO_INLINE Bits splat(uint32_t x) { return Bits{} + x; }

LMZOO_INLINE Vec load(const float* from) {
  Vec x;
  std::memcpy(&x, from, sizeof(x));
  return x;
}

LMZOO_INLINE Vec load(const BFloat* from) {
  Half half;
  std::memcpy(&half, from, sizeof(half));
  return bit_cast<Vec>(__builtin_convertvector(half, Bits) << 16);
}

LMZOO_INLINE void store(float* to, Vec x) { std::memcpy(to, &x, sizeof(x)); }

// The nearest bfloat16 of each, ties to even; a NaN stays one.
LMZOO_INLINE Half to_half(Vec x) {
#if defined(__AVX512BF16__)
  return bit_cast<Half>(_mm512_cvtneps_pbh(x));
#else
  const Bits bits = bit_cast<Bits>(x);
  const Bits rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  return __builtin_convertvector(x == x ? rounded : (bits >> 16) | 0x40u, Half);
#endif
}

LMZOO_INLINE void store(BFloat* to, Vec x) {
  const Half half = to_half(x);
  std::memcpy(to, &half, sizeof(half));
}

LMZOO_INLINE float to_float(float x) { return x; }
LMZOO_INLINE float to_float(BFloat x) { return bit_cast<float>(static_cast<uint32_t>(x.bits) << 16); }

LMZOO_INLINE void store_one(float* to, float x) { *to = x; }
LMZOO_INLINE void store_one(BFloat* to, float x) {
  const uint32_t bits = bit_cast<uint32_t>(x);
  const uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  to->bits = static_cast<uint16_t>(x == x ? rounded : (bits >> 16) | 0x40u);
}

LMZOO_INLINE Vec max(Vec a, Vec b) { return a > b ? a : b; }
LMZOO_INLINE Vec min(Vec a, Vec b) { return a < b ? a : b; }
LMZOO_INLINE Vec select(Int mask, Vec a, Vec b) { return mask ? a : b; }

// Sums and maxima over the lanes, as a tree.
LMZOO_INLINE float sum(Vec x) {
  float lanes[kLanes];
  store(lanes, x);
  for (int width = kLanes / 2; width > 0; width /= 2) {
    for (int i = 0; i < width; ++i) {
      lanes[i] += lanes[i + width];
    }
  }
  return lanes[0];
}

LMZOO_INLINE float max(Vec x) {
  float lanes[kLanes];
  store(lanes, x);
  for (int width = kLanes / 2; width > 0; width /= 2) {
    for (int i = 0; i < width; ++i) {
      lanes[i] = lanes[i] > lanes[i + width] ? lanes[i] : lanes[i + width];
    }
  }
  return lanes[0];
}

// eˣ within 2 units in the last place; 0 below -87.3, and x above 88.7 counts as 88.7. Range reduction by
// Cody and Waite, then a polynomial of degree 6 (minimax on ±ln2/2, as in Cephes' expf).
LMZOO_INLINE Vec exp(Vec x) {
  const Vec clamped = min(max(x, splat(-87.3f)), splat(88.7f));
  constexpr float kRound = 12582912.0f;  // 1.5 · 2²³: adding it leaves the nearest integer in the low bits
  const Vec shifted = clamped * 1.44269504f + kRound;
  const Vec n = shifted - kRound;
  Vec r = clamped - n * 0.693359375f;
  r = r + n * 2.12194440e-4f;
  Vec p = splat(1.9875691500e-4f);
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.0f;
  // n = 128 happens only just below the clamp, where r < 0 and so p < 1: the sum of exponents still fits.
  const Int exponent = (bit_cast<Int>(shifted) - bit_cast<int32_t>(kRound)) << 23;
  return x > -87.3f ? bit_cast<Vec>(bit_cast<Int>(p) + exponent) : splat(0.0f);
}

}  // namespace lmzoo::LMZOO_ISA
