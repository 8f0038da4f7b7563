// Copies of a head's rows in the layouts of tile.h, padded with zeros. Kernel units only.
#pragma once

#include "nn/kernels/tile.h"

namespace lmzoo::LMZOO_ISA {

// Rows of one head in a packed matrix.
template <class Number>
struct Rows {
  const Number* data;
  int64_t stride;

  const Number* operator[](int64_t i) const { return data + i * stride; }
};

// One word: a float, or two bfloat16 (lower half first).
LMZOO_INLINE uint32_t word_at(Single, const float* row, int64_t w) { return bit_cast<uint32_t>(row[w]); }
LMZOO_INLINE uint32_t word_at(Single, const BFloat* row, int64_t w) {
  return static_cast<uint32_t>(row[w].bits) << 16;
}
#if defined(__AVX512BF16__)
LMZOO_INLINE uint32_t word_at(Pairs, const BFloat* row, int64_t w) { return load_word(row, w); }
#endif

// Four words of a row.
using Quad = uint32_t __attribute__((vector_size(16)));
template <class Format, class Number>
LMZOO_INLINE Quad quad_at(const Number* row, int64_t w) {
  if constexpr (Format::kDepth * sizeof(Number) == sizeof(uint32_t)) {
    Quad quad;
    std::memcpy(&quad, row + w * Format::kDepth, sizeof(quad));
    return quad;
  } else {
    return Quad{word_at(Format{}, row, w),
                word_at(Format{}, row, w + 1),
                word_at(Format{}, row, w + 2),
                word_at(Format{}, row, w + 3)};
  }
}

// Four words each of the rows at pointers 0, 4, 8, ... of `rows`.
template <class Format, class Number>
LMZOO_INLINE Bits gather_quads(const Number* const* rows, int64_t w) {
#if defined(__AVX512F__)
  __m512i x = _mm512_castsi128_si512(bit_cast<__m128i>(quad_at<Format>(rows[0], w)));
  x = _mm512_inserti32x4(x, bit_cast<__m128i>(quad_at<Format>(rows[4], w)), 1);
  x = _mm512_inserti32x4(x, bit_cast<__m128i>(quad_at<Format>(rows[8], w)), 2);
  return bit_cast<Bits>(_mm512_inserti32x4(x, bit_cast<__m128i>(quad_at<Format>(rows[12], w)), 3));
#elif defined(__AVX2__)
  const __m256i x = _mm256_castsi128_si256(bit_cast<__m128i>(quad_at<Format>(rows[0], w)));
  return bit_cast<Bits>(_mm256_inserti128_si256(x, bit_cast<__m128i>(quad_at<Format>(rows[4], w)), 1));
#else
  return quad_at<Format>(rows[0], w);
#endif
}

// Interleaves the lower (or upper) two words of a and b within every 128 bits.
template <bool kUpper>
LMZOO_INLINE Bits interleave(Bits a, Bits b) {
  Bits order;
  for (int i = 0; i < kLanes; ++i) {
    order[i] = static_cast<uint32_t>(i / 4 * 4 + (kUpper ? 2 : 0) + i % 4 / 2 + i % 2 * kLanes);
  }
  return __builtin_shuffle(a, b, order);
}

// The same for pairs of words.
template <bool kUpper>
LMZOO_INLINE Bits interleave_pairs(Bits a, Bits b) {
  Bits order;
  for (int i = 0; i < kLanes; ++i) {
    order[i] = static_cast<uint32_t>(i / 4 * 4 + (kUpper ? 2 : 0) + i % 2 + i % 4 / 2 * kLanes);
  }
  return __builtin_shuffle(a, b, order);
}

// Words w .. w+3 of kLanes rows, transposed into four rows of `to`. Every 128 bits hold a 4x4 block; because
// they were gathered from every fourth row, the lanes come out in the order of the rows.
template <class Format, class Number>
LMZOO_INLINE void transpose_block(const Number* const* rows, int64_t w, uint32_t* to, int64_t ldt) {
  const Bits a = gather_quads<Format>(rows, w);
  const Bits b = gather_quads<Format>(rows + 1, w);
  const Bits c = gather_quads<Format>(rows + 2, w);
  const Bits d = gather_quads<Format>(rows + 3, w);
  const Bits ab = interleave<false>(a, b);
  const Bits cd = interleave<false>(c, d);
  const Bits ab_upper = interleave<true>(a, b);
  const Bits cd_upper = interleave<true>(c, d);
  store_words(to, interleave_pairs<false>(ab, cd));
  store_words(to + ldt, interleave_pairs<true>(ab, cd));
  store_words(to + 2 * ldt, interleave_pairs<false>(ab_upper, cd_upper));
  store_words(to + 3 * ldt, interleave_pairs<true>(ab_upper, cd_upper));
}

// to[w, i] = word w of row i. Beyond `count` up to ldt, a multiple of kLanes, stands the last row or zeros:
// finite numbers, of which nothing is used.
template <class Format, class Number>
void pack_by_word(const Rows<Number>& rows, int64_t count, int64_t words, const Words& to) {
  int64_t i = 0;
  for (; i < count; i += kLanes) {
    const Number* pointers[kLanes];
    for (int lane = 0; lane < kLanes; ++lane) {
      pointers[lane] = rows[i + lane < count ? i + lane : count - 1];
    }
    int64_t w = 0;
    for (; w + 4 <= words; w += 4) {
      transpose_block<Format>(pointers, w, to.row(w) + i, to.stride);
    }
    for (; w < words; ++w) {
      for (int lane = 0; lane < kLanes; ++lane) {
        to.row(w)[i + lane] = word_at(Format{}, pointers[lane], w);
      }
    }
  }
  for (; i < to.stride; i += kLanes) {
    for (int64_t w = 0; w < words; ++w) {
      store_words(to.row(w) + i, Bits{});
    }
  }
}

// A row in float, word by word, or two rows interleaved: the layout "by row". `second` may be null (zeros).
template <class Number>
LMZOO_INLINE void interleave_rows(
    Single, const Number* row, const Number* /*second*/, int64_t width, uint32_t* to) {
  int64_t d = 0;
  for (; d + kLanes <= width; d += kLanes) {
    store_words(to + d, bit_cast<Bits>(load(row + d)));
  }
  for (; d < width; ++d) {
    to[d] = word_at(Single{}, row, d);
  }
}

#if defined(__AVX512BF16__)
LMZOO_INLINE Bits widen(const BFloat* from) {
  Half half;
  std::memcpy(&half, from, sizeof(half));
  return __builtin_convertvector(half, Bits);
}

LMZOO_INLINE void interleave_rows(
    Pairs, const BFloat* row, const BFloat* second, int64_t width, uint32_t* to) {
  int64_t d = 0;
  for (; d + kLanes <= width; d += kLanes) {
    store_words(to + d, widen(row + d) | (second == nullptr ? Bits{} : widen(second + d) << 16));
  }
  for (; d < width; ++d) {
    to[d] = row[d].bits | (second == nullptr ? 0u : static_cast<uint32_t>(second[d].bits) << 16);
  }
}
#endif

// to[i, d]: rows in the layout "by row", zeros beyond `count` up to `padded` rows and beyond `width`.
template <class Format, class Number>
void pack_by_row(const Rows<Number>& rows, int64_t count, int64_t padded, int64_t width, const Words& to) {
  for (int64_t i = 0; i < padded; i += Format::kDepth) {
    uint32_t* out = to.row(i / Format::kDepth);
    int64_t d = 0;
    if (i < count) {
      const bool last = i + 1 >= count;
      interleave_rows(Format{}, rows[i], last ? nullptr : rows[i + 1], width, out);
      d = width;
    }
    for (; d < to.stride; ++d) {
      out[d] = 0;
    }
  }
}

// Rows as a left factor: where they are when they are words already, else copied to `copy` [count, width].
template <class Format, class Number>
Left left_of(const Rows<Number>& rows, int64_t count, int64_t width, uint32_t* copy) {
  if constexpr (Format::kDepth * sizeof(Number) == sizeof(uint32_t)) {
    return {rows.data, rows.stride / Format::kDepth, 1};
  } else {
    for (int64_t i = 0; i < count; ++i) {
      interleave_rows(Format{}, rows[i], rows[i], width, copy + i * width);
    }
    return {copy, width, 1};
  }
}

}  // namespace lmzoo::LMZOO_ISA
