// Vectors of the instruction set that a unit is compiled for, by the compiler's vector extensions. Only
// kernel units (*_avx512.cpp, *_avx2.cpp, *_generic.cpp) include this. Everything is in a namespace of its
// instruction set, and nothing of the standard library or LibTorch is used, so that no inline function compiled
// for a richer instruction set can take the place of one for a poorer (the linker keeps one of each name).
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
#if defined(__AVX512F__)
LMZOO_INLINE float sum(Vec x) { return _mm512_reduce_add_ps(x); }
LMZOO_INLINE float max(Vec x) { return _mm512_reduce_max_ps(x); }
#else
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
#endif

// 1/x within 2 units in the last place, for x in [1e-37, 1e37] at least.
LMZOO_INLINE Vec reciprocal(Vec x) {
#if defined(__AVX512F__)
  const Vec near = _mm512_rcp14_ps(x);
  return near * (2.0f - x * near);
#else
  return 1.0f / x;
#endif
}

// eˣ within 2 units in the last place for x up to 88.7; 0 below -87.3 (on AVX-512, denormals down to -104 and
// then 0) and exactly 0 for minus infinity. Splits x = n ln2 + r with |r| <= ln2/2; the polynomial is eʳ - 1
// by Remez (largest relative error 9e-8), with eʳ = 1 exact at 0.
LMZOO_INLINE Vec exp(Vec x) {
#if defined(__AVX512F__)
  const Vec bounded = max(x, splat(-1000.0f));
#else
  const Vec bounded = max(x, splat(-87.3f));
#endif
  constexpr float kRound = 12582912.0f;  // 1.5 · 2²³: adding it leaves the nearest integer in the low bits
  const Vec shifted = bounded * 1.44269504f + kRound;
  const Vec n = shifted - kRound;
#if defined(__FMA__)
  const Vec r =
      bounded - n * 0.693147182f;  // n · (this - ln2) is at most 2.4e-7, and the product is not rounded
#else
  const Vec r =
      (bounded - n * 0.693359375f) + n * 2.12194440e-4f;  // Cody and Waite: the first product is exact
#endif
  Vec p = splat(8.2902720e-3f);
  p = p * r + 4.1898160e-2f;
  p = p * r + 1.6667638e-1f;
  p = p * r + 4.9999148e-1f;
  p = p * r + 9.9999971e-1f;
  p = p * r + 1.0f;
#if defined(__AVX512F__)
  return _mm512_scalef_ps(p, n);
#else
  // The shift drops all of `shifted` but n. n = 128 happens only just below 88.7, where p < 1: the exponents
  // still fit.
  const Vec scaled = bit_cast<Vec>(bit_cast<Int>(p) + (bit_cast<Int>(shifted) << 23));
  return x > -87.3f ? scaled : splat(0.0f);
#endif
}

}  // namespace lmzoo::LMZOO_ISA
