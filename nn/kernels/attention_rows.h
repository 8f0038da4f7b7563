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

LMZOO_INLINE int64_t round_down(int64_t x, int64_t multiple) { return x / multiple * multiple; }

LMZOO_INLINE int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
LMZOO_INLINE int64_t most(int64_t a, int64_t b) { return a < b ? b : a; }

// What one call knows of its sequence.
struct Extent {
  int64_t first_query, queries, first_key, keys;
  int64_t padded_keys, padded_width;
  int64_t block_rows, block_columns;  // the most that a block has
  int64_t prefix;

  int64_t position(int64_t query) const { return keys - queries + query; }
};

// The most columns that a block computes: all keys, or those that its rows' windows reach, each end rounded
// to a group.
inline int64_t block_columns_for(const AttentionProblem& p, int64_t padded_keys) {
  const int64_t reach = p.behind + p.ahead + kMaxBlockRows + 2 * kDropoutGroup;
  return least(padded_keys, round_up(reach, kDropoutGroup));
}

// A block computes the columns that any of its rows sees: where rows see different ones, a lower block wastes
// less.
inline int64_t block_rows_for(const AttentionProblem& p, int64_t block_columns) {
  const bool alike = !p.causal && p.behind == kNoWindow;
  const int64_t limit = alike ? kMaxBlockRows : kMaxBlockRows / 2;
  const int64_t rows = kScoresPerBlock / block_columns / 16 * 16;
  return rows < 16 ? 16 : least(rows, limit);
}

inline Extent extent_of(const AttentionProblem& p, int64_t sequence) {
  Extent e;
  e.first_query = p.query_starts[sequence];
  e.queries = p.query_starts[sequence + 1] - e.first_query;
  e.first_key = p.key_starts[sequence];
  e.keys = p.key_counts == nullptr ? p.key_starts[sequence + 1] - e.first_key : p.key_counts[sequence];
  e.padded_keys = round_up(e.keys, kDropoutGroup);
  e.padded_width = round_up(p.width, kLanes);
  e.block_columns = block_columns_for(p, e.padded_keys);
  e.block_rows = block_rows_for(p, e.block_columns);
  e.prefix = p.prefix == nullptr ? 0 : p.prefix[sequence];
  return e;
}

// The keys [first, end) that a query sees; both grow with the query.
struct Visible {
  int64_t first, end;
};

inline Visible visible_keys(const AttentionProblem& p, const Extent& e, int64_t query) {
  const int64_t position = e.position(query);
  const int64_t end = p.causal ? most(position + 1, e.prefix) : e.keys;
  const int64_t first = most(position - p.behind, 0);
  return {first, most(first, least(least(end, position + p.ahead + 1), e.keys))};
}

// Query rows of one head that are computed together, and the columns that they need: whole groups, from
// the first key that the first row sees to the last one that the last row sees.
struct Block {
  int64_t head, first, rows;
  int64_t from, columns;
};

inline Block block_of(const AttentionProblem& p, const Extent& e, int64_t head, int64_t first) {
  const int64_t rows = least(e.queries - first, e.block_rows);
  const int64_t from = round_down(visible_keys(p, e, first).first, kDropoutGroup);
  const int64_t end = round_up(visible_keys(p, e, first + rows - 1).end, kDropoutGroup);
  return {head, first, rows, from, most(end - from, 0)};
}

// A row of scores and what belongs to it. Its columns are those of its block.
struct Row {
  int64_t query;  // within the sequence
  int64_t head;
  int64_t from;        // the key of column 0
  int64_t first, end;  // the columns of visible keys
  int64_t columns;

  bool empty() const { return first == end; }
};

inline Row row_of(const AttentionProblem& p, const Extent& e, const Block& b, int64_t row) {
  const Visible keys = visible_keys(p, e, b.first + row);
  return {b.first + row, b.head, b.from, keys.first - b.from, keys.end - b.from, b.columns};
}

// The row of a bias, or of its gradient, that belongs to a row of scores: at its column 0.
template <class Float>
Float* bias_row(const AttentionProblem& p, const Extent& e, const Row& row, Float* base) {
  const int64_t offset = p.bias_row < 0 ? p.bias_middle - e.position(row.query) : row.query * p.bias_row;
  return base + row.head * p.bias_head + offset + row.from;
}

// scores = scores · scale + bias where a key is visible, minus infinity elsewhere; returns the largest.
inline float finish_scores(const AttentionProblem& p, const Extent& e, const Row& row, float* scores) {
  const float* bias = p.bias == nullptr ? nullptr : bias_row(p, e, row, p.bias);
  int64_t j = 0;
  for (; j < row.first; ++j) {
    scores[j] = -__builtin_inff();
  }
  Vec largest = splat(-__builtin_inff());
  for (; j + kLanes <= row.end; j += kLanes) {
    Vec x = load(scores + j) * p.scale;
    if (bias != nullptr) {
      x = x + load(bias + j);
    }
    store(scores + j, x);
    largest = max(largest, x);
  }
  float result = max(largest);
  for (; j < row.end; ++j) {
    scores[j] = scores[j] * p.scale + (bias == nullptr ? 0.0f : bias[j]);
    result = scores[j] > result ? scores[j] : result;
  }
  for (; j < row.columns; ++j) {
    scores[j] = -__builtin_inff();
  }
  return result;
}

// The dropout decisions of a row, counted from its column 0.
inline DropoutRow dropout_of(const DropoutMask& dropout, uint64_t mask_row, const Row& row) {
  DropoutRow key = dropout_row(dropout.seed, mask_row);
  key.first += static_cast<uint32_t>(row.from / 2);  // a counter decides for two columns
  return key;
}

// Scores become exp(score - largest), dropped ones zero; returns the sum before dropping.
template <bool kDrop>
float exponentiate(
    const DropoutMask& dropout, uint64_t mask_row, const Row& row, float largest, float* scores) {
  const DropoutRow key = dropout_of(dropout, mask_row, row);
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
  if (row.empty()) {
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
  const DropoutRow key = dropout_of(dropout, mask_row, row);
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
  if (row.empty()) {
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
