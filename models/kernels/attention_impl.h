// Fused attention of one sequence and one key head. Included by one unit per instruction set.
//
// A block of query rows at a time: scores S = q kᵀ of the block against all keys that it can see, softmax in
// place, then P v. Nothing but the log-sum-exp of each row is kept; the backward pass makes S again. Every
// mask shows a row its first keys only, so masking is where a row ends, and a causal block computes only the
// columns it can see.
//
// Legend: L keys, padded to Lp (a multiple of kDropoutGroup); Dh head width, padded to Dp (a multiple of
// kLanes);
//         B rows of a block; word as in tile.h; "by word" [Dh/kDepth, Lp]: the transposed layout of a right
//         factor whose sum runs over Dh; "by row" [rows/kDepth, Dp]: the one whose sum runs over rows.
#pragma once

#include "models/kernels/attention_kernel.h"
#include "models/kernels/attention_pack.h"
#include "models/kernels/row_loop.h"

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

inline int64_t block_rows_for(int64_t padded_keys) {
  const int64_t rows = kScoresPerBlock / padded_keys / 16 * 16;
  return rows < 16 ? 16 : rows > kMaxBlockRows ? kMaxBlockRows : rows;
}

inline Extent extent_of(const AttentionProblem& p, int64_t sequence) {
  Extent e;
  e.first_query = p.query_starts[sequence];
  e.queries = p.query_starts[sequence + 1] - e.first_query;
  e.first_key = p.key_starts[sequence];
  e.keys = p.key_starts[sequence + 1] - e.first_key;
  e.padded_keys = round_up(e.keys, kDropoutGroup);
  e.padded_width = round_up(p.width, kLanes);
  e.block_rows = block_rows_for(e.padded_keys);
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

inline const float* bias_row(const AttentionProblem& p, const Extent& e, const Row& row, const float* base) {
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

// Scratch memory, handed out in pieces of whole cache lines.
class Arena {
 public:
  explicit Arena(float* base) : base_(base) {}
  float* floats(int64_t count) {
    float* piece = base_ + used_;
    used_ += round_up(count, 16);
    return piece;
  }
  uint32_t* words(int64_t count) { return reinterpret_cast<uint32_t*>(floats(count)); }

 private:
  float* base_;
  int64_t used_ = 0;
};

// Enough for either direction of any sequence: at most five matrices of keys, of scores and of query rows.
inline int64_t scratch_floats(const AttentionProblem& p) {
  const int64_t keys = round_up(p.longest_keys, kDropoutGroup);
  const int64_t width = round_up(p.width, kLanes);
  const int64_t narrow = kMaxBlockRows * keys;  // while kMaxBlockRows rows of scores fit into a block
  const int64_t wide = 16 * keys < kScoresPerBlock ? kScoresPerBlock : 16 * keys;
  const int64_t scores = least(narrow, wide);
  return 5 * (keys * width + scores + kMaxBlockRows * width) + kMaxBlockRows + 16 * 20;
}

template <class Format, class Number>
void forward(const AttentionProblem& p, int64_t sequence, int64_t key_head, float* scratch) {
  constexpr int kDepth = Format::kDepth;
  const Extent e = extent_of(p, sequence);
  Arena arena(scratch);
  uint32_t* keys = arena.words(p.width / kDepth * e.padded_keys);           // by word
  uint32_t* values = arena.words(e.padded_keys / kDepth * e.padded_width);  // by row
  uint32_t* queries = arena.words(e.block_rows * p.width);
  float* scores = arena.floats(e.block_rows * e.padded_keys);
  uint32_t* softened =
      kDepth == 1 ? reinterpret_cast<uint32_t*>(scores) : arena.words(e.block_rows * e.padded_keys / kDepth);
  float* output = arena.floats(e.block_rows * e.padded_width);
  float* factors = arena.floats(e.block_rows);
  pack_by_word<Format>(
      rows_of<Number>(p.k, e.first_key, key_head), e.keys, p.width / kDepth, keys, e.padded_keys);
  pack_by_row<Format>(
      rows_of<Number>(p.v, e.first_key, key_head), e.keys, e.padded_keys, p.width, values, e.padded_width);

  const int64_t group = p.heads / p.key_heads;
  for (int64_t head = key_head * group; head < (key_head + 1) * group; ++head) {
    for (int64_t first = 0; first < e.queries; first += e.block_rows) {
      const int64_t rows = least(e.queries - first, e.block_rows);
      const int64_t columns = round_up(visible_keys(p, e, first + rows - 1), kDropoutGroup);
      const Left q =
          left_of<Format>(rows_of<Number>(p.q, e.first_query + first, head), rows, p.width, queries);
      product<Format>({q, keys, e.padded_keys, scores, e.padded_keys, rows, p.width / kDepth, false},
                      columns);
      for (int64_t i = 0; i < rows; ++i) {
        float* row = scores + i * e.padded_keys;
        factors[i] = soften(p, e, row_of(p, e, first + i, head, columns), row);
        if constexpr (kDepth == 2) {
          Format::narrow_row(row, columns, softened + i * e.padded_keys / 2);
        }
      }
      const Left weights{softened, e.padded_keys / kDepth, 1};
      product<Format>(
          {weights, values, e.padded_width, output, e.padded_width, rows, columns / kDepth, false},
          e.padded_width);
      for (int64_t i = 0; i < rows; ++i) {
        write_row<Number>(
            p.out, e.first_query + first + i, head, output + i * e.padded_width, p.width, factors[i]);
      }
    }
  }
}

// The sum over a head's width of the output times its gradient: what the softmax takes off every score's
// gradient.
template <class Number>
float output_dot(const Number* out, const Number* gradient, int64_t width) {
  Vec total{};
  int64_t d = 0;
  for (; d + kLanes <= width; d += kLanes) {
    total = total + load(out + d) * load(gradient + d);
  }
  float result = sum(total);
  for (; d < width; ++d) {
    result += to_float(out[d]) * to_float(gradient[d]);
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

inline void add_to(float* total, const float* x, int64_t count) {
  int64_t j = 0;
  for (; j + kLanes <= count; j += kLanes) {
    store(total + j, load(total + j) + load(x + j));
  }
  for (; j < count; ++j) {
    total[j] += x[j];
  }
}

inline void zero(float* x, int64_t count) { std::memset(x, 0, static_cast<size_t>(count) * sizeof(float)); }

// Tiles of a block of query rows in the backward pass.
struct BlockTiles {
  float* scores;            // [B, Lp], then probabilities
  float* gradients;         // [B, Lp], of probabilities, then of scores
  uint32_t* weights;        // probabilities, transposed left factor
  uint32_t* slopes;         // gradients of scores, left factor by rows
  uint32_t* slopes_turned;  // the same, transposed left factor
};

// The rows of a block from raw scores and gradients of probabilities to the left factors of the last three
// products.
template <class Format, class Number>
void differentiate_block(const AttentionProblem& p,
                         const Extent& e,
                         const BlockTiles& tiles,
                         int64_t first,
                         int64_t rows,
                         int64_t head,
                         int64_t columns,
                         float* bias_gradient) {
  for (int64_t i = 0; i < rows; ++i) {
    const Row row = row_of(p, e, first + i, head, columns);
    const int64_t position = e.first_query + row.query;
    const auto mask_row = static_cast<uint64_t>(position * p.heads + head);
    float* scores = tiles.scores + i * e.padded_keys;
    float* gradients = tiles.gradients + i * e.padded_keys;
    if (row.visible == 0) {
      zero(scores, columns);
      zero(gradients, columns);
    } else {
      finish_scores(p, e, row, scores);
      const float dot = output_dot(
          rows_of<Number>(p.out, position, head)[0], rows_of<Number>(p.dout, position, head)[0], p.width);
      (p.dropout.threshold > 0
           ? differentiate<true>
           : differentiate<false>)(p.dropout, mask_row, row, p.lse[mask_row], dot, scores, gradients);
    }
    if (bias_gradient != nullptr) {
      add_to(const_cast<float*>(bias_row(p, e, row, bias_gradient)), gradients, row.visible);
    }
    if constexpr (Format::kDepth == 2) {
      Format::narrow_row(gradients, columns, tiles.slopes + i * e.padded_keys / 2);
      if (i % 2 == 1 || i + 1 == rows) {
        const int64_t even = i / 2 * 2;
        const int64_t at = even * e.padded_keys;
        const int64_t next = i % 2 == 1 ? at + e.padded_keys : 0;
        Format::narrow_rows(
            tiles.scores + at, next > 0 ? tiles.scores + next : nullptr, columns, tiles.weights + at / 2);
        Format::narrow_rows(tiles.gradients + at,
                            next > 0 ? tiles.gradients + next : nullptr,
                            columns,
                            tiles.slopes_turned + at / 2);
      }
    }
  }
}

template <class Format, class Number>
void backward(
    const AttentionProblem& p, int64_t sequence, int64_t key_head, float* scratch, float* bias_gradient) {
  constexpr int kDepth = Format::kDepth;
  const Extent e = extent_of(p, sequence);
  const int64_t words = p.width / kDepth;
  Arena arena(scratch);
  uint32_t* keys_by_word = arena.words(words * e.padded_keys);
  uint32_t* values_by_word = arena.words(words * e.padded_keys);
  uint32_t* keys_by_row = arena.words(e.padded_keys / kDepth * e.padded_width);
  float* key_gradients = arena.floats(e.padded_keys * e.padded_width);
  float* value_gradients = arena.floats(e.padded_keys * e.padded_width);
  uint32_t* queries = arena.words(e.block_rows * p.width);
  uint32_t* outputs = arena.words(e.block_rows * p.width);
  uint32_t* queries_by_row = arena.words(e.block_rows * e.padded_width);
  uint32_t* outputs_by_row = arena.words(e.block_rows * e.padded_width);
  float* query_gradients = arena.floats(e.block_rows * e.padded_width);
  BlockTiles tiles;
  tiles.scores = arena.floats(e.block_rows * e.padded_keys);
  tiles.gradients = arena.floats(e.block_rows * e.padded_keys);
  tiles.weights =
      kDepth == 1 ? reinterpret_cast<uint32_t*>(tiles.scores) : arena.words(e.block_rows / 2 * e.padded_keys);
  tiles.slopes = kDepth == 1 ? reinterpret_cast<uint32_t*>(tiles.gradients)
                             : arena.words(e.block_rows / 2 * e.padded_keys);
  tiles.slopes_turned = kDepth == 1 ? tiles.slopes : arena.words(e.block_rows / 2 * e.padded_keys);

  const Rows<Number> k = rows_of<Number>(p.k, e.first_key, key_head);
  pack_by_word<Format>(k, e.keys, words, keys_by_word, e.padded_keys);
  pack_by_word<Format>(
      rows_of<Number>(p.v, e.first_key, key_head), e.keys, words, values_by_word, e.padded_keys);
  pack_by_row<Format>(k, e.keys, e.padded_keys, p.width, keys_by_row, e.padded_width);
  zero(key_gradients, e.padded_keys * e.padded_width);
  zero(value_gradients, e.padded_keys * e.padded_width);

  const int64_t group = p.heads / p.key_heads;
  for (int64_t head = key_head * group; head < (key_head + 1) * group; ++head) {
    for (int64_t first = 0; first < e.queries; first += e.block_rows) {
      const int64_t rows = least(e.queries - first, e.block_rows);
      const int64_t columns = round_up(visible_keys(p, e, first + rows - 1), kDropoutGroup);
      const Rows<Number> q_rows = rows_of<Number>(p.q, e.first_query + first, head);
      const Rows<Number> o_rows = rows_of<Number>(p.dout, e.first_query + first, head);
      const Left q = left_of<Format>(q_rows, rows, p.width, queries);
      const Left o = left_of<Format>(o_rows, rows, p.width, outputs);
      product<Format>({q, keys_by_word, e.padded_keys, tiles.scores, e.padded_keys, rows, words, false},
                      columns);
      product<Format>({o, values_by_word, e.padded_keys, tiles.gradients, e.padded_keys, rows, words, false},
                      columns);
      differentiate_block<Format, Number>(p, e, tiles, first, rows, head, columns, bias_gradient);

      const int64_t paired = round_up(rows, kDepth);
      pack_by_row<Format>(q_rows, rows, paired, p.width, queries_by_row, e.padded_width);
      pack_by_row<Format>(o_rows, rows, paired, p.width, outputs_by_row, e.padded_width);
      product<Format>({Left{tiles.weights, 1, e.padded_keys},
                       outputs_by_row,
                       e.padded_width,
                       value_gradients,
                       e.padded_width,
                       columns,
                       paired / kDepth,
                       true},
                      e.padded_width);
      product<Format>({Left{tiles.slopes_turned, 1, e.padded_keys},
                       queries_by_row,
                       e.padded_width,
                       key_gradients,
                       e.padded_width,
                       columns,
                       paired / kDepth,
                       true},
                      e.padded_width);
      product<Format>({Left{tiles.slopes, e.padded_keys / kDepth, 1},
                       keys_by_row,
                       e.padded_width,
                       query_gradients,
                       e.padded_width,
                       rows,
                       columns / kDepth,
                       false},
                      e.padded_width);
      for (int64_t i = 0; i < rows; ++i) {
        write_row<Number>(
            p.dq, e.first_query + first + i, head, query_gradients + i * e.padded_width, p.width, p.scale);
      }
    }
  }
  for (int64_t j = 0; j < e.keys; ++j) {
    write_row<Number>(p.dk, e.first_key + j, key_head, key_gradients + j * e.padded_width, p.width, p.scale);
    write_row<Number>(p.dv, e.first_key + j, key_head, value_gradients + j * e.padded_width, p.width, 1.0f);
  }
}

#if defined(__AVX512BF16__)
using HalfFormat = Pairs;
#else
using HalfFormat = Single;
#endif

AttentionKernels attention_kernels() {
  return {scratch_floats,
          [](const AttentionProblem& p, int64_t sequence, int64_t key_head, float* scratch) {
            (p.half ? forward<HalfFormat, BFloat> : forward<Single, float>)(p, sequence, key_head, scratch);
          },
          [](const AttentionProblem& p,
             int64_t sequence,
             int64_t key_head,
             float* scratch,
             float* bias_gradient) {
            (p.half ? backward<HalfFormat, BFloat>
                    : backward<Single, float>)(p, sequence, key_head, scratch, bias_gradient);
          }};
}

}  // namespace lmzoo::LMZOO_ISA
