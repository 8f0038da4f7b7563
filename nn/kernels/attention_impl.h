// Fused attention of one sequence and one key head. Included by one unit per instruction set.
//
// A block of query rows at a time: scores S = q kᵀ of the block against all keys that it can see, softmax in
// place, then P v. Nothing but the log-sum-exp of each row is kept; the backward pass makes S again. Every
// mask shows a row one run of keys, so masking is where a row begins and ends, and a block computes only the
// columns from the first to the last that it can see: keys before a window cost nothing, as later ones of a
// causal block.
//
// Legend: L keys, padded to Lp (a multiple of kDropoutGroup); Dh head width, padded to Dp (of kLanes);
//         B rows of a block, C its columns at most (Lp without a window); words as in tile.h, kDepth numbers
//         each; "by word" [Dh/kDepth, Lp]: the
//         transposed layout of a right factor whose sum runs over Dh; "by row" [rows/kDepth, Dp]: the one
//         whose sum runs over rows.
#pragma once

#include "nn/kernels/attention_rows.h"

namespace lmzoo::LMZOO_ISA {

// Scratch memory, handed out in pieces of whole cache lines.
class Arena {
 public:
  explicit Arena(float* base) : next_(base) {}

  Floats floats(int64_t rows, int64_t stride) {
    float* piece = next_;
    next_ += round_up(rows * stride, 16);
    return {piece, stride};
  }
  Words words(int64_t rows, int64_t stride) {
    return {reinterpret_cast<uint32_t*>(floats(rows, stride).data), stride};
  }

 private:
  float* next_;
};

// Enough for either direction of any sequence: at most five matrices of keys, of scores and of query rows.
inline int64_t scratch_floats(const AttentionProblem& p) {
  const int64_t keys = round_up(p.longest_keys, kDropoutGroup);
  const int64_t columns = block_columns_for(p, keys);
  const int64_t width = round_up(p.width, kLanes);
  const int64_t narrow = kMaxBlockRows * columns;  // while kMaxBlockRows rows of scores fit into a block
  const int64_t wide = most(16 * columns, kScoresPerBlock);
  const int64_t scores = least(narrow, wide);
  return 5 * (keys * width + scores + kMaxBlockRows * width) + kMaxBlockRows + 16 * 20;
}

// Calls body(block) for the blocks of all query heads of a key head.
template <class Body>
LMZOO_INLINE void for_each_block(const AttentionProblem& p,
                                 const Extent& e,
                                 int64_t key_head,
                                 const Body& body) {
  const int64_t group = p.heads / p.key_heads;
  for (int64_t head = key_head * group; head < (key_head + 1) * group; ++head) {
    for (int64_t first = 0; first < e.queries; first += e.block_rows) {
      body(block_of(p, e, head, first));
    }
  }
}

// A factor or a sum without its first columns, and without its first rows.
inline Words columns_from(const Words& x, int64_t column) { return {x.data + column, x.stride}; }
inline Words rows_from(const Words& x, int64_t row) { return {x.row(row), x.stride}; }
inline Floats rows_from(const Floats& x, int64_t row) { return {x.row(row), x.stride}; }

template <class Format, class Number>
void forward(const AttentionProblem& p, int64_t sequence, int64_t key_head, float* scratch) {
  constexpr int kDepth = Format::kDepth;
  const Extent e = extent_of(p, sequence);
  const int64_t words = p.width / kDepth;
  Arena arena(scratch);
  const Words keys = arena.words(words, e.padded_keys);                      // by word
  const Words values = arena.words(e.padded_keys / kDepth, e.padded_width);  // by row
  const Words queries = arena.words(e.block_rows, p.width);
  const Floats scores = arena.floats(e.block_rows, e.block_columns);
  const Words weights = kDepth == 1 ? Words{reinterpret_cast<uint32_t*>(scores.data), scores.stride}
                                    : arena.words(e.block_rows, e.block_columns / kDepth);
  const Floats output = arena.floats(e.block_rows, e.padded_width);
  float* factors = arena.floats(1, e.block_rows).data;
  pack_by_word<Format>(rows_of<Number>(p.k, e.first_key, key_head), e.keys, words, keys);
  pack_by_row<Format>(rows_of<Number>(p.v, e.first_key, key_head), e.keys, e.padded_keys, p.width, values);

  for_each_block(p, e, key_head, [&](const Block& b) {
    const Rows<Number> rows = rows_of<Number>(p.q, e.first_query + b.first, b.head);
    const Left q = left_of<Format>(rows, b.rows, p.width, queries.data);
    product<Format>({q, columns_from(keys, b.from), scores, b.rows, words, false}, b.columns);
    for (int64_t i = 0; i < b.rows; ++i) {
      factors[i] = soften(p, e, row_of(p, e, b, i), scores.row(i));
      if constexpr (kDepth == 2) {
        Format::narrow_row(scores.row(i), b.columns, weights.row(i));
      }
    }
    product<Format>({{weights.data, weights.stride, 1},
                     rows_from(values, b.from / kDepth),
                     output,
                     b.rows,
                     b.columns / kDepth,
                     false},
                    e.padded_width);
    for (int64_t i = 0; i < b.rows; ++i) {
      write_row<Number>(p.out, e.first_query + b.first + i, b.head, output.row(i), p.width, factors[i]);
    }
  });
}

// What the backward pass holds of a key head and of one block.
struct BackwardTiles {
  Words keys_by_word, values_by_word, keys_by_row;
  Floats key_gradients, value_gradients;  // [Lp, Dp], summed over blocks and query heads
  Words queries, outputs;  // [B, Dh] copies as left factors, when the rows themselves do not serve
  Words queries_by_row, outputs_by_row;
  Floats query_gradients;  // [B, Dp]
  Floats scores;           // [B, C], then probabilities
  Floats gradients;        // [B, C], of probabilities, then of scores
  Words weights;           // probabilities, to be read as a transposed left factor
  Words slopes;            // gradients of scores, as a left factor
  Words slopes_turned;     // the same, to be read as a transposed left factor
};

template <class Format>
BackwardTiles backward_tiles(const AttentionProblem& p, const Extent& e, float* scratch) {
  constexpr int kDepth = Format::kDepth;
  Arena arena(scratch);
  BackwardTiles t;
  t.keys_by_word = arena.words(p.width / kDepth, e.padded_keys);
  t.values_by_word = arena.words(p.width / kDepth, e.padded_keys);
  t.keys_by_row = arena.words(e.padded_keys / kDepth, e.padded_width);
  t.key_gradients = arena.floats(e.padded_keys, e.padded_width);
  t.value_gradients = arena.floats(e.padded_keys, e.padded_width);
  t.queries = arena.words(e.block_rows, p.width);
  t.outputs = arena.words(e.block_rows, p.width);
  t.queries_by_row = arena.words(e.block_rows, e.padded_width);
  t.outputs_by_row = arena.words(e.block_rows, e.padded_width);
  t.query_gradients = arena.floats(e.block_rows, e.padded_width);
  t.scores = arena.floats(e.block_rows, e.block_columns);
  t.gradients = arena.floats(e.block_rows, e.block_columns);
  if constexpr (kDepth == 1) {  // floats are words
    t.weights = {reinterpret_cast<uint32_t*>(t.scores.data), e.block_columns};
    t.slopes = {reinterpret_cast<uint32_t*>(t.gradients.data), e.block_columns};
    t.slopes_turned = t.slopes;
  } else {
    t.weights = arena.words(e.block_rows / kDepth, e.block_columns);
    t.slopes = arena.words(e.block_rows, e.block_columns / kDepth);
    t.slopes_turned = arena.words(e.block_rows / kDepth, e.block_columns);
  }
  return t;
}

// Rows 2i and 2i+1 of a block (the second may not exist) as words for the last three products.
template <class Format>
void narrow_pair(const BackwardTiles& t, const Block& b, int64_t pair) {
  const int64_t even = 2 * pair;
  const bool whole = even + 1 < b.rows;
  Format::narrow_row(t.gradients.row(even), b.columns, t.slopes.row(even));
  if (whole) {
    Format::narrow_row(t.gradients.row(even + 1), b.columns, t.slopes.row(even + 1));
  }
  Format::narrow_rows(
      t.scores.row(even), whole ? t.scores.row(even + 1) : nullptr, b.columns, t.weights.row(pair));
  Format::narrow_rows(t.gradients.row(even),
                      whole ? t.gradients.row(even + 1) : nullptr,
                      b.columns,
                      t.slopes_turned.row(pair));
}

// A block from raw scores and gradients of probabilities to probabilities and gradients of scores.
template <class Format, class Number>
void differentiate_block(const AttentionProblem& p,
                         const Extent& e,
                         const BackwardTiles& t,
                         const Block& b,
                         float* bias_gradient) {
  for (int64_t i = 0; i < b.rows; ++i) {
    const Row row = row_of(p, e, b, i);
    const int64_t position = e.first_query + row.query;
    const float of_output = dot(
        rows_of<Number>(p.out, position, b.head)[0], rows_of<Number>(p.dout, position, b.head)[0], p.width);
    differentiate_row(p, e, row, of_output, t.scores.row(i), t.gradients.row(i));
    if (bias_gradient != nullptr) {
      add_to(bias_row(p, e, row, bias_gradient) + row.first,
             t.gradients.row(i) + row.first,
             row.end - row.first);
    }
    if constexpr (Format::kDepth == 2) {
      if (i % 2 == 1 || i + 1 == b.rows) {
        narrow_pair<Format>(t, b, i / 2);
      }
    }
  }
}

template <class Format, class Number>
void backward_block(const AttentionProblem& p,
                    const Extent& e,
                    const BackwardTiles& t,
                    const Block& b,
                    float* bias_gradient) {
  constexpr int kDepth = Format::kDepth;
  const int64_t words = p.width / kDepth;
  const Rows<Number> q_rows = rows_of<Number>(p.q, e.first_query + b.first, b.head);
  const Rows<Number> o_rows = rows_of<Number>(p.dout, e.first_query + b.first, b.head);
  const Left q = left_of<Format>(q_rows, b.rows, p.width, t.queries.data);
  const Left o = left_of<Format>(o_rows, b.rows, p.width, t.outputs.data);
  product<Format>({q, columns_from(t.keys_by_word, b.from), t.scores, b.rows, words, false}, b.columns);
  product<Format>({o, columns_from(t.values_by_word, b.from), t.gradients, b.rows, words, false}, b.columns);
  differentiate_block<Format, Number>(p, e, t, b, bias_gradient);

  const int64_t paired = round_up(b.rows, kDepth);
  pack_by_row<Format>(q_rows, b.rows, paired, p.width, t.queries_by_row);
  pack_by_row<Format>(o_rows, b.rows, paired, p.width, t.outputs_by_row);
  const auto turned = [](const Words& x) { return Left{x.data, 1, x.stride}; };
  product<Format>({turned(t.weights),
                   t.outputs_by_row,
                   rows_from(t.value_gradients, b.from),
                   b.columns,
                   paired / kDepth,
                   true},
                  e.padded_width);
  product<Format>({turned(t.slopes_turned),
                   t.queries_by_row,
                   rows_from(t.key_gradients, b.from),
                   b.columns,
                   paired / kDepth,
                   true},
                  e.padded_width);
  product<Format>({{t.slopes.data, t.slopes.stride, 1},
                   rows_from(t.keys_by_row, b.from / kDepth),
                   t.query_gradients,
                   b.rows,
                   b.columns / kDepth,
                   false},
                  e.padded_width);
  for (int64_t i = 0; i < b.rows; ++i) {
    write_row<Number>(p.dq, e.first_query + b.first + i, b.head, t.query_gradients.row(i), p.width, p.scale);
  }
}

template <class Format, class Number>
void backward(
    const AttentionProblem& p, int64_t sequence, int64_t key_head, float* scratch, float* bias_gradient) {
  const Extent e = extent_of(p, sequence);
  const BackwardTiles t = backward_tiles<Format>(p, e, scratch);
  const Rows<Number> k = rows_of<Number>(p.k, e.first_key, key_head);
  const Rows<Number> v = rows_of<Number>(p.v, e.first_key, key_head);
  pack_by_word<Format>(k, e.keys, p.width / Format::kDepth, t.keys_by_word);
  pack_by_word<Format>(v, e.keys, p.width / Format::kDepth, t.values_by_word);
  pack_by_row<Format>(k, e.keys, e.padded_keys, p.width, t.keys_by_row);
  zero(t.key_gradients.data, e.padded_keys * e.padded_width);
  zero(t.value_gradients.data, e.padded_keys * e.padded_width);
  for_each_block(p, e, key_head, [&](const Block& block) {
    backward_block<Format, Number>(p, e, t, block, bias_gradient);
  });
  for (int64_t j = 0; j < e.keys; ++j) {
    write_row<Number>(p.dk, e.first_key + j, key_head, t.key_gradients.row(j), p.width, p.scale);
    write_row<Number>(p.dv, e.first_key + j, key_head, t.value_gradients.row(j), p.width, 1.0f);
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
