// The kernels of kernels.h, for the instruction set of the unit that includes this (core/simd.h).
//
// Scores: a tile of kTileInputs × kTileOutputs sums stays in registers while both rows are read once. Update:
// the old and the new values of up to kTileUpdate output rows stay in registers, a column at a
// time, while all inputs pass by.
#pragma once

#include "core/simd.h"
#include "nn/words/kernels.h"

namespace lmzoo::LMZOO_ISA {

#if defined(__AVX512F__)
inline constexpr int kTileInputs = 4;
inline constexpr int kTileOutputs = 6;
inline constexpr int kTileUpdate = 12;
#else
inline constexpr int kTileInputs = 2;
inline constexpr int kTileOutputs = 4;
inline constexpr int kTileUpdate = 6;
#endif

// The sums over the lanes of four vectors.
LMZOO_INLINE void store_sums(float* to, Vec a, Vec b, Vec c, Vec d) {
#if defined(__AVX512F__)
  const __m512 ab = _mm512_add_ps(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
  const __m512 cd = _mm512_add_ps(_mm512_unpacklo_ps(c, d), _mm512_unpackhi_ps(c, d));
  const __m512d low = _mm512_unpacklo_pd(_mm512_castps_pd(ab), _mm512_castps_pd(cd));
  const __m512d high = _mm512_unpackhi_pd(_mm512_castps_pd(ab), _mm512_castps_pd(cd));
  const __m512 four =
      _mm512_add_ps(_mm512_castpd_ps(low), _mm512_castpd_ps(high));  // a b c d in each quarter
  const __m256 two = _mm256_add_ps(_mm512_castps512_ps256(four), _mm512_extractf32x8_ps(four, 1));
  _mm_storeu_ps(to, _mm_add_ps(_mm256_castps256_ps128(two), _mm256_extractf128_ps(two, 1)));
#elif defined(__AVX2__)
  const __m256 ab = _mm256_add_ps(_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
  const __m256 cd = _mm256_add_ps(_mm256_unpacklo_ps(c, d), _mm256_unpackhi_ps(c, d));
  const __m256d low = _mm256_unpacklo_pd(_mm256_castps_pd(ab), _mm256_castps_pd(cd));
  const __m256d high = _mm256_unpackhi_pd(_mm256_castps_pd(ab), _mm256_castps_pd(cd));
  const __m256 two = _mm256_add_ps(_mm256_castpd_ps(low), _mm256_castpd_ps(high));
  _mm_storeu_ps(to, _mm_add_ps(_mm256_castps256_ps128(two), _mm256_extractf128_ps(two, 1)));
#else
  to[0] = sum(a);
  to[1] = sum(b);
  to[2] = sum(c);
  to[3] = sum(d);
#endif
}

// scores[b · T + t] = x_b · o_t for a tile of NB × NT; T is the row length of `scores`.
template <int NB, int NT>
void score_tile(float* const* x, float* const* o, int64_t stride, int64_t T, float* scores) {
  Vec sums[(NB * NT + 3) / 4 * 4] = {};
  for (int64_t i = 0; i < stride; i += kLanes) {
    Vec xs[NB];
#pragma GCC unroll 16
    for (int b = 0; b < NB; ++b) {
      xs[b] = load(x[b] + i);
    }
#pragma GCC unroll 16
    for (int t = 0; t < NT; ++t) {
      const Vec ot = load(o[t] + i);
#pragma GCC unroll 16
      for (int b = 0; b < NB; ++b) {
        sums[b * NT + t] += xs[b] * ot;
      }
    }
  }
  float flat[(NB * NT + 3) / 4 * 4];
#pragma GCC unroll 16
  for (int i = 0; i < (NB * NT + 3) / 4; ++i) {
    store_sums(flat + 4 * i, sums[4 * i], sums[4 * i + 1], sums[4 * i + 2], sums[4 * i + 3]);
  }
#pragma GCC unroll 16
  for (int b = 0; b < NB; ++b) {
    std::memcpy(scores + b * T, flat + b * NT, sizeof(float) * NT);
  }
}

using ScoreTile = void (*)(float* const*, float* const*, int64_t, int64_t, float*);

template <int NB>
ScoreTile score_tile_for(int64_t outputs) {
  static_assert(kTileOutputs <= 6);
  switch (outputs) {
    case 1:
      return &score_tile<NB, 1>;
    case 2:
      return &score_tile<NB, 2>;
    case 3:
      return &score_tile<NB, 3>;
    case 4:
      return &score_tile<NB, 4>;
    case 5:
      return &score_tile < NB, kTileOutputs < 5 ? kTileOutputs : 5 > ;
    default:
      return &score_tile<NB, kTileOutputs>;
  }
}

inline ScoreTile score_tile_for(int64_t inputs, int64_t outputs) {
  static_assert(kTileInputs <= 4);
  switch (inputs) {
    case 1:
      return score_tile_for<1>(outputs);
    case 2:
      return score_tile_for<2>(outputs);
    case 3:
      return score_tile_for < kTileInputs < 3 ? kTileInputs : 3 > (outputs);
    default:
      return score_tile_for<kTileInputs>(outputs);
  }
}

inline int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

// The size of tiles, at most `most`, of which `count` has as few as can be, all nearly alike: 7 is 4 + 3, not
// 6 + 1.
inline int64_t even_tile(int64_t count, int64_t most) {
  const int64_t tiles = (count + most - 1) / most;
  return tiles == 0 ? most : (count + tiles - 1) / tiles;
}

inline void score_all(float* const* x, int64_t B, float* const* o, int64_t T, int64_t stride, float* scores) {
  const int64_t rows = even_tile(B, kTileInputs);
  const int64_t columns = even_tile(T, kTileOutputs);
  for (int64_t b = 0; b < B; b += rows) {
    for (int64_t t = 0; t < T; t += columns) {
      score_tile_for(smaller(rows, B - b), smaller(columns, T - t))(
          x + b, o + t, stride, T, scores + b * T + t);
    }
  }
}

// Rows of the next group.
struct Coming {
  const float* const* rows;
  int64_t count;
};

LMZOO_INLINE void fetch(const Coming& coming, int64_t column) {
  for (int64_t i = 0; i < coming.count; ++i) {
    __builtin_prefetch(coming.rows[i] + column, 1);
  }
}

// For NT outputs: to_b += Σ_t g_bt o_t and o_t += Σ_b g_bt x_b. x_b may be to_b.
template <int NT>
void update_tile(const float* const* x,
                 float* const* to,
                 int64_t B,
                 float* const* o,
                 int64_t stride,
                 const float* g,
                 int64_t T,
                 const Coming& coming) {
  for (int64_t i = 0; i < stride; i += kLanes) {
    Vec before[NT], after[NT];
#pragma GCC unroll 16
    for (int t = 0; t < NT; ++t) {
      before[t] = after[t] = load(o[t] + i);
    }
    fetch(coming, i);
    for (int64_t b = 0; b < B; ++b) {
      const Vec xb = load(x[b] + i);
      Vec sum = load(to[b] + i);
#pragma GCC unroll 16
      for (int t = 0; t < NT; ++t) {
        const Vec factor = splat(g[b * T + t]);
        sum += factor * before[t];
        after[t] += factor * xb;
      }
      store(to[b] + i, sum);
    }
#pragma GCC unroll 16
    for (int t = 0; t < NT; ++t) {
      store(o[t] + i, after[t]);
    }
  }
}

using UpdateTile = void (*)(const float* const*,
                            float* const*,
                            int64_t,
                            float* const*,
                            int64_t,
                            const float*,
                            int64_t,
                            const Coming&);

inline UpdateTile update_tile_for(int64_t outputs) {
#define LMZOO_UPDATE_TILE(n) \
  case n:                    \
    return &update_tile < (n) < kTileUpdate ? (n) : kTileUpdate > ;
  switch (outputs) {
    LMZOO_UPDATE_TILE(1)
    LMZOO_UPDATE_TILE(2)
    LMZOO_UPDATE_TILE(3)
    LMZOO_UPDATE_TILE(4)
    LMZOO_UPDATE_TILE(5)
    LMZOO_UPDATE_TILE(6)
    LMZOO_UPDATE_TILE(7)
    LMZOO_UPDATE_TILE(8)
    LMZOO_UPDATE_TILE(9)
    LMZOO_UPDATE_TILE(10)
    LMZOO_UPDATE_TILE(11)
    default:
      return &update_tile<kTileUpdate>;
  }
#undef LMZOO_UPDATE_TILE
}

inline void update_all(const float* const* x,
                       float* const* to,
                       int64_t B,
                       const WordGroup& group,
                       int64_t stride,
                       const float* g) {
  const int64_t T = group.output_count;
  Coming coming{group.next, group.next_count};
  const int64_t tile = even_tile(T, kTileUpdate);
  for (int64_t t = 0; t < T; t += tile) {
    update_tile_for(smaller(tile, T - t))(x, to, B, group.outputs + t, stride, g + t, T, coming);
    coming.count = 0;
  }
}

LMZOO_INLINE Vec sigmoid(Vec x) {
  // Beyond ±87 the exponential leaves the range of floats; there the sigmoid is 0 or 1 to any accuracy.
  return 1.0f / (1.0f + exp(min(-x, splat(87.0f))));
}

// gradients[b · T + t] = lr · m_b · n_t · (y_t - σ(score)). `times` null: m is 1 everywhere.
inline void errors(
    const WordGroup& group, int64_t B, const float* times, const WordStep& step, KernelScratch& scratch) {
  const int64_t T = group.output_count;
  if (step.sigmoid == SigmoidKind::exact) {
    // Whole vectors: what a row of cells writes beyond its end is overwritten by the next.
    float rates[kMostOutputs + kRowFloats], labels[kMostOutputs + kRowFloats];
    for (int64_t t = 0; t < T + kLanes; ++t) {
      rates[t] = t < T ? step.lr * group.output_times[t] : 0;
      labels[t] = t < T ? group.labels[t] : 0;
    }
    for (int64_t b = 0; b < B; ++b) {
      const Vec rate = splat(times == nullptr ? 1.0f : times[b]);
      for (int64_t t = 0; t < T; t += kLanes) {
        const Vec error = load(labels + t) - sigmoid(load(scratch.scores + b * T + t));
        store(scratch.gradients + b * T + t, rate * load(rates + t) * error);
      }
    }
    return;
  }
  const float* table = sigmoid_table();
  for (int64_t b = 0; b < B; ++b) {
    const float rate = step.lr * (times == nullptr ? 1.0f : times[b]);
    for (int64_t t = 0; t < T; ++t) {
      const float score = scratch.scores[b * T + t];
      const bool outside = !(score > -6.0f && score < 6.0f);
      const int cell = outside ? 0 : static_cast<int>((score + 6.0f) * (1000.0f / 12.0f));
      const float sigma = outside ? (score > 0 ? 1.0f : 0.0f) : table[cell < 1000 ? cell : 999];
      const bool skipped = outside && step.sigmoid == SigmoidKind::table_or_skip;
      scratch.gradients[b * T + t] =
          skipped ? 0.0f : rate * group.output_times[t] * (group.labels[t] - sigma);
    }
  }
}

inline void copy_row(float* to, const float* from, int64_t stride) {
  for (int64_t i = 0; i < stride; i += kLanes) {
    store(to + i, load(from + i));
  }
}

inline void pairs(const WordGroup& group, const WordStep& step, KernelScratch& scratch) {
  const int64_t B = group.input_count;
  const int64_t T = group.output_count;
  score_all(group.inputs, B, group.outputs, T, step.stride, scratch.scores);
  errors(group, B, group.input_times, step, scratch);
  if (T <= kTileUpdate) {
    update_all(group.inputs, group.inputs, B, group, step.stride, scratch.gradients);
    return;
  }
  // More outputs than registers: several passes, all of which must read the old inputs.
  const float* copies[kMostInputs];
  for (int64_t b = 0; b < B; ++b) {
    copies[b] = scratch.rows + b * step.stride;
    copy_row(scratch.rows + b * step.stride, group.inputs[b], step.stride);
  }
  update_all(copies, group.inputs, B, group, step.stride, scratch.gradients);
}

inline void bag(const WordGroup& group, const WordStep& step, KernelScratch& scratch) {
  float* mean = scratch.rows;
  float* error = scratch.rows + step.stride;
  const int64_t B = group.input_count;
  WordGroup alone = group;
  alone.next_count = 0;
  for (int64_t i = 0; i < step.stride; i += kLanes) {
    fetch({group.next, group.next_count}, i);
    Vec sum{};
    for (int64_t b = 0; b < B; ++b) {
      sum += group.input_times[b] * load(group.inputs[b] + i);
    }
    store(mean + i, sum * step.scale);
    store(error + i, Vec{});
  }
  score_all(&mean, 1, group.outputs, group.output_count, step.stride, scratch.scores);
  errors(group, 1, nullptr, step, scratch);
  const float* from = mean;
  update_all(&from, &error, 1, alone, step.stride, scratch.gradients);
  for (int64_t b = 0; b < B; ++b) {
    float* row = group.inputs[b];
    const Vec times = splat(group.input_times[b]);
    for (int64_t i = 0; i < step.stride; i += kLanes) {
      store(row + i, load(row + i) + times * load(error + i));
    }
  }
}

const WordKernels& word_kernels();
const WordKernels& word_kernels() {
  static constexpr WordKernels kernels{&pairs, &bag};
  return kernels;
}

}  // namespace lmzoo::LMZOO_ISA
