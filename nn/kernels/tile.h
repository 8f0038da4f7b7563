// Matrix products of tiles that fit into cache, and the layouts they read. Kernel units only (see
// core/simd.h).
//
// Two number formats share one shape of code. `Single` multiplies float32. `Pairs` multiplies bfloat16 two at
// a time (vdpbf16ps) and adds in float32. Both see matrices of 32-bit words, a word being kDepth consecutive
// numbers along the summed dimension:
//   C[m, n] (+)= Σ_w A(m, w) · B(w, n),   A(m, w) = a[m·row + w·word],   B(w, n) = b[w·stride + n]
// so A may be stored by rows (word = 1) or transposed (row = 1), and B's rows are contiguous.
#pragma once

#include "core/simd.h"

namespace lmzoo::LMZOO_ISA {

LMZOO_INLINE uint32_t load_word(const void* base, int64_t index) {
  uint32_t word;
  std::memcpy(&word, static_cast<const char*>(base) + 4 * index, sizeof(word));
  return word;
}

LMZOO_INLINE Bits load_words(const uint32_t* from) {
  Bits x;
  std::memcpy(&x, from, sizeof(x));
  return x;
}

LMZOO_INLINE void store_words(uint32_t* to, Bits x) { std::memcpy(to, &x, sizeof(x)); }

struct Single {
  static constexpr int kDepth = 1;
  static LMZOO_INLINE Vec multiply_add(Vec sum, uint32_t a, Bits b) {
    return splat(bit_cast<float>(a)) * bit_cast<Vec>(b) + sum;
  }
};

#if defined(__AVX512BF16__)
struct Pairs {
  static constexpr int kDepth = 2;
  static LMZOO_INLINE Vec multiply_add(Vec sum, uint32_t a, Bits b) {
    return _mm512_dpbf16_ps(sum, bit_cast<__m512bh>(splat(a)), bit_cast<__m512bh>(b));
  }

  // A row of floats as words; columns is a multiple of 2 kLanes.
  static void narrow_row(const float* row, int64_t columns, uint32_t* to) {
    for (int64_t j = 0; j < columns; j += 2 * kLanes) {
      store_words(to + j / 2, bit_cast<Bits>(_mm512_cvtne2ps_pbh(load(row + j + kLanes), load(row + j))));
    }
  }

  // Two rows of floats as words that pair them; a null `second` counts as zeros.
  static void narrow_rows(const float* row, const float* second, int64_t columns, uint32_t* to) {
    for (int64_t j = 0; j < columns; j += kLanes) {
      const Bits lower = __builtin_convertvector(to_half(load(row + j)), Bits);
      const Bits upper =
          second == nullptr ? Bits{} : __builtin_convertvector(to_half(load(second + j)), Bits) << 16;
      store_words(to + j, lower | upper);
    }
  }
};
#endif

// Scratch matrices with contiguous rows: of words, and of floats.
struct Words {
  uint32_t* data;
  int64_t stride;

  uint32_t* row(int64_t i) const { return data + i * stride; }
};
struct Floats {
  float* data;
  int64_t stride;

  float* row(int64_t i) const { return data + i * stride; }
};

// The left factor: words of `data` (4 bytes each, maybe not aligned).
struct Left {
  const void* data;
  int64_t row;
  int64_t word;
};

struct Product {
  Left a;
  Words b;
  Floats c;
  int64_t rows;   // m
  int64_t words;  // summed
  bool add;       // to what C holds
};

// Rows and vectors of C that are held in registers at once.
#if defined(__AVX512F__)
inline constexpr int kTileRows = 6;
inline constexpr int kTileVectors = 4;
#else
inline constexpr int kTileRows = 4;
inline constexpr int kTileVectors = 2;
#endif

template <class Format, int kRows, int kVectors>
void product_tile(const Product& p, int64_t row, int64_t column) {
  Vec sums[kRows][kVectors];
  float* c = p.c.row(row) + column;
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      sums[r][v] = p.add ? load(c + r * p.c.stride + v * kLanes) : Vec{};
    }
  }
  const char* a = static_cast<const char*>(p.a.data) + 4 * row * p.a.row;
  const uint32_t* b = p.b.data + column;
  for (int64_t w = 0; w < p.words; ++w, a += 4 * p.a.word, b += p.b.stride) {
    Bits factors[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      factors[v] = load_words(b + v * kLanes);
    }
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      const uint32_t word = load_word(a, r * p.a.row);
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) {
        sums[r][v] = Format::multiply_add(sums[r][v], word, factors[v]);
      }
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      store(c + r * p.c.stride + v * kLanes, sums[r][v]);
    }
  }
}

template <class Format, int kVectors, int kRows = kTileRows>
void product_rows(const Product& p, int64_t row, int64_t column) {
  if constexpr (kRows > 0) {
    if (p.rows - row >= kRows) {
      product_tile<Format, kRows, kVectors>(p, row, column);
    } else {
      product_rows<Format, kVectors, kRows - 1>(p, row, column);
    }
  }
}

// C [rows, columns]; columns is a multiple of kLanes.
template <class Format>
void product(const Product& p, int64_t columns) {
  int64_t column = 0;
  for (; column + kTileVectors * kLanes <= columns; column += kTileVectors * kLanes) {
    for (int64_t row = 0; row < p.rows; row += kTileRows) {
      product_rows<Format, kTileVectors>(p, row, column);
    }
  }
  for (; column + 2 * kLanes <= columns; column += 2 * kLanes) {
    for (int64_t row = 0; row < p.rows; row += kTileRows) {
      product_rows<Format, 2>(p, row, column);
    }
  }
  for (; column < columns; column += kLanes) {
    for (int64_t row = 0; row < p.rows; row += kTileRows) {
      product_rows<Format, 1>(p, row, column);
    }
  }
}

}  // namespace lmzoo::LMZOO_ISA
