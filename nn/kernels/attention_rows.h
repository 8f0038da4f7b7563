// Rows of scores: what a query sees, softmax with dropout, and their gradients. Kernel units only.
//
// Legend: as attention_impl.h.
#pragma once

#include "nn/kernels/attention_kernel.h"
#include "nn/kernels/attention_pack.h"
#include "nn/kernels/row_loop.h"

namespace lmzoo::LMZOO_ISA {

inline constexpr int64_t kMaxBlockRows = 64;
inline constexpr int64_t kScoresPerBlock =
    65536;  // 256 KiB of float scores: they stay in the second-level cache

LMZOO_INLINE int64_t round_up(int64_t x, int64_t multiple) {
  return (x + multiple - 1) / multiple * multiple;
}

LMZOO_INLINE int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

// What one call knows of its sequence.
struct Extent {
  int64_t first_query, queries, first_key, keys;
  int64_t padded_keys, padded_width, block_rows;
  int64_t prefix;

  int64_t position(int64_t query) const { return keys - queries + query; }
};

// A causal block computes the columns that its last row sees, so a lower one wastes less.
inline int64_t block_rows_for(const AttentionProblem& p, int64_t padded_keys) {
  const int64_t most = p.causal ? kMaxBlockRows / 2 : kMaxBlockRows;
  const int64_t rows = kScoresPerBlock / padded_keys / 16 * 16;
  return rows < 16 ? 16 : least(rows, most);
}

inline Extent extent_of(const AttentionProblem& p, int64_t sequence) {
  Extent e;
  e.first_query = p.query_starts[sequence];
  e.queries = p.query_starts[sequence + 1] - e.first_query;
  e.first_key = p.key_starts[sequence];
  e.keys = p.key_counts == nullptr ? p.key_starts[sequence + 1] - e.first_key : p.key_counts[sequence];
  e.padded_keys = round_up(e.keys, kDropoutGroup);
  e.padded_width = round_up(p.width, kLanes);
  e.block_rows = block_rows_for(p, e.padded_keys);
  e.prefix = p.prefix == nullptr ? 0 : p.prefix[sequence];
  return e;
}

inline int64_t visible_keys(const AttentionProblem& p, const Extent& e, int64_t query) {
  if (!p.causal) {
    return e.keys;
  }
  int64_t count = e.position(query) + 1;
  count = count < e.prefix ? e.prefix : count;
  return count < 0 ? 0 : count > e.keys ? e.keys : count;
}

// A row of scores and what belongs to it.
struct Row {
  int64_t query;  // within the sequence
  int64_t head;
  int64_t visible;  // keys
  int64_t columns;  // visible, rounded up as the block's products are
};

inline Row row_of(const AttentionProblem& p, const Extent& e, int64_t query, int64_t head, int64_t columns) {
  return {query, head, visible_keys(p, e, query), columns};
}

// The row of a bias, or of its gradient, that belongs to a row of scores.
template <class Float>
Float* bias_row(const AttentionProblem& p, const Extent& e, const Row& row, Float* base) {
  const int64_t offset = p.bias_row < 0 ? p.bias_middle - e.position(row.query) : row.query * p.bias_row;
  return base + row.head * p.bias_head + offset;
}

// scores = scores · scale + bias up to the last visible key, minus infinity beyond; returns the largest.
inline float finish_scores(const AttentionProblem& p, const Extent& e, const Row& row, float* scores) {
  const float* bias = p.bias == nullptr ? nullptr : bias_row(p, e, row, p.bias);
  int64_t j = 0;
  Vec largest = splat(-__builtin_inff());
  for (; j + kLanes <= row.visible; j += kLanes) {
    Vec x = load(scores + j) * p.scale;
    if (bias != nullptr) {
      x = x + load(bias + j);
    }
    store(scores + j, x);
    largest = max(largest, x);
  }
  float result = max(largest);
  for (; j < row.visible; ++j) {
    scores[j] = scores[j] * p.scale + (bias == nullptr ? 0.0f : bias[j]);
    result = scores[j] > result ? scores[j] : result;
  }
  for (; j < row.columns; ++j) {
    scores[j] = -__builtin_inff();
  }
  return result;
}

// Scores become exp(score - largest), dropped ones zero; returns the sum before dropping.
template <bool kDrop>
float exponentiate(
    const DropoutMask& dropout, uint64_t mask_row, const Row& row, float largest, float* scores) {
  const DropoutRow key = dropout_row(dropout.seed, mask_row);
  Vec total{};
  for (int64_t j = 0; j < row.columns; j += kDropoutGroup) {
    for (int lane = 0; lane < 16; lane += kLanes) {
      float* low = scores + j + lane;
      Vec a = exp(load(low) - largest);
      Vec b = exp(load(low + 16) - largest);
      total = total + (a + b);
      if constexpr (kDrop) {
        const KeptLanes kept = kept_lanes(key, dropout.threshold, j, lane);
        a = select(kept.low, a, Vec{});
        b = select(kept.high, b, Vec{});
      }
      store(low, a);
      store(low + 16, b);
    }
  }
  return sum(total);
}

// Softmax of a row without its division. Returns the factor that the output row still needs.
inline float soften(const AttentionProblem& p, const Extent& e, const Row& row, float* scores) {
  const auto position = static_cast<uint64_t>(e.first_query + row.query);
  const uint64_t mask_row = position * p.heads + row.head;
  const float largest = finish_scores(p, e, row, scores);
  float& lse = p.lse[mask_row];
  if (row.visible == 0) {
    for (int64_t j = 0; j < row.columns; ++j) {
      scores[j] = 0;
    }
    lse = 0;
    return 0;
  }
  const float total = p.dropout.threshold > 0
                          ? exponentiate<true>(p.dropout, mask_row, row, largest, scores)
                          : exponentiate<false>(p.dropout, mask_row, row, largest, scores);
  lse = largest + __builtin_logf(total);
  return p.dropout.scale / total;
}

template <class Number>
Rows<Number> rows_of(const HeadMatrix& matrix, int64_t first, int64_t head) {
  return {static_cast<const Number*>(matrix.data) + first * matrix.row + head * matrix.head_step, matrix.row};
}

// Writes rows of a padded float tile, each times its factor.
template <class Number>
void write_row(
    const HeadMatrix& to, int64_t position, int64_t head, const float* row, int64_t width, float factor) {
  Number* out = static_cast<Number*>(to.data) + position * to.row + head * to.head_step;
  int64_t d = 0;
  for (; d + kLanes <= width; d += kLanes) {
    store(out + d, load(row + d) * factor);
  }
  for (; d < width; ++d) {
    store_one(out + d, row[d] * factor);
  }
}

// The sum over a head's width of a · b: a score or, of the output and its gradient, what the softmax takes off
// every score's gradient.
template <class Number>
float dot(const Number* a, const Number* b, int64_t width) {
  Vec total{};
  int64_t d = 0;
  for (; d + kLanes <= width; d += kLanes) {
    total = total + load(a + d) * load(b + d);
  }
  float result = sum(total);
  for (; d < width; ++d) {
    result += to_float(a[d]) * to_float(b[d]);
  }
  return result;
}

// Finished scores become the probabilities that the output used (dropped and scaled); gradients of those
// become gradients of the finished scores.
template <bool kDrop>
void differentiate(const DropoutMask& dropout,
                   uint64_t mask_row,
                   const Row& row,
                   float lse,
                   float dot,
                   float* scores,
                   float* gradients) {
  const DropoutRow key = dropout_row(dropout.seed, mask_row);
  for (int64_t j = 0; j < row.columns; j += kDropoutGroup) {
    for (int lane = 0; lane < 16; lane += kLanes) {
      float* s = scores + j + lane;
      float* g = gradients + j + lane;
      const Vec a = exp(load(s) - lse);
      const Vec b = exp(load(s + 16) - lse);
      if constexpr (kDrop) {
        const KeptLanes kept = kept_lanes(key, dropout.threshold, j, lane);
        const Vec factor_a = select(kept.low, splat(dropout.scale), Vec{});
        const Vec factor_b = select(kept.high, splat(dropout.scale), Vec{});
        store(s, a * factor_a);
        store(s + 16, b * factor_b);
        store(g, a * (load(g) * factor_a - dot));
        store(g + 16, b * (load(g + 16) * factor_b - dot));
      } else {
        store(s, a);
        store(s + 16, b);
        store(g, a * (load(g) - dot));
        store(g + 16, b * (load(g + 16) - dot));
      }
    }
  }
}

inline void zero(float* x, int64_t count) { std::memset(x, 0, static_cast<size_t>(count) * sizeof(float)); }

// A row of raw scores becomes probabilities, one of gradients of probabilities that of finished scores.
inline void differentiate_row(
    const AttentionProblem& p, const Extent& e, const Row& row, float dot, float* scores, float* gradients) {
  if (row.visible == 0) {
    zero(scores, row.columns);
    zero(gradients, row.columns);
    return;
  }
  finish_scores(p, e, row, scores);
  const auto mask_row = static_cast<uint64_t>((e.first_query + row.query) * p.heads + row.head);
  const auto run = p.dropout.threshold > 0 ? differentiate<true> : differentiate<false>;
  run(p.dropout, mask_row, row, p.lse[mask_row], dot, scores, gradients);
}

inline void add_to(float* total, const float* x, int64_t count) {
  int64_t j = 0;
  for (; j + kLanes <= count; j += kLanes) {
    store(total + j, load(total + j) + load(x + j));
  }
  for (; j < count; ++j) {
    total[j] += x[j];
  }
}

}  // namespace lmzoo::LMZOO_ISA
