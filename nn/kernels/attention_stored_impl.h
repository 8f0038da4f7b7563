// Attention of few queries over keys that are read in place. Included by one unit per instruction set.
//
// A query row at a time: its products with the keys it can see, softmax as the packing kernel has it
// (attention_rows.h), then the sum of the values, a few vectors of the output at a time in registers.
#pragma once

#include "nn/kernels/attention_rows.h"
#include "nn/kernels/attention_stored_kernel.h"

namespace lmzoo::LMZOO_ISA {

// A row of scores and one of the output.
inline int64_t stored_scratch(const AttentionProblem& p) {
  return round_up(p.longest_keys, kDropoutGroup) + round_up(p.width, 16);
}

// to[d] = Σ_j weights[j] · values[j][d] for kVectors vectors of d.
template <int kVectors, class Number>
LMZOO_INLINE void mix_vectors(const float* weights, const Rows<Number>& values, int64_t count, float* to) {
  Vec sums[kVectors] = {};
  for (int64_t j = 0; j < count; ++j) {
    const Number* row = values[j];
    const Vec weight = splat(weights[j]);
    for (int v = 0; v < kVectors; ++v) {
      sums[v] = weight * load(row + v * kLanes) + sums[v];
    }
  }
  for (int v = 0; v < kVectors; ++v) {
    store(to + v * kLanes, sums[v]);
  }
}

template <class Number>
void mix(const float* weights, const Rows<Number>& values, int64_t count, int64_t width, float* to) {
  constexpr int kMany = 4;
  int64_t d = 0;
  const auto rest = [&] { return Rows<Number>{values.data + d, values.stride}; };
  for (; d + kMany * kLanes <= width; d += kMany * kLanes) {
    mix_vectors<kMany>(weights, rest(), count, to + d);
  }
  for (; d + kLanes <= width; d += kLanes) {
    mix_vectors<1>(weights, rest(), count, to + d);
  }
  for (; d < width; ++d) {
    to[d] = 0;
    for (int64_t j = 0; j < count; ++j) {
      to[d] += weights[j] * to_float(values[j][d]);
    }
  }
}

template <class Number>
void forward_stored(const AttentionProblem& p, int64_t sequence, int64_t key_head, float* scratch) {
  const Extent e = extent_of(p, sequence);
  const Rows<Number> keys = rows_of<Number>(p.k, e.first_key, key_head);
  const Rows<Number> values = rows_of<Number>(p.v, e.first_key, key_head);
  float* scores = scratch;
  float* output = scratch + e.padded_keys;
  const int64_t group = p.heads / p.key_heads;
  for (int64_t head = key_head * group; head < (key_head + 1) * group; ++head) {
    for (int64_t query = 0; query < e.queries; ++query) {
      const Visible visible = visible_keys(p, e, query);
      const int64_t count = visible.end - visible.first;
      const Row row{query, head, visible.first, 0, count, round_up(count, kDropoutGroup)};
      const Number* q = rows_of<Number>(p.q, e.first_query + query, head)[0];
      for (int64_t j = 0; j < count; ++j) {
        scores[j] = dot(q, keys[visible.first + j], p.width);
      }
      const float factor = soften(p, e, row, scores);
      mix(scores, Rows<Number>{values[visible.first], values.stride}, count, p.width, output);
      write_row<Number>(p.out, e.first_query + query, head, output, p.width, factor);
    }
  }
}

StoredKernels stored_kernels() {
  return {stored_scratch, [](const AttentionProblem& p, int64_t sequence, int64_t key_head, float* scratch) {
            (p.half ? forward_stored<BFloat> : forward_stored<float>)(p, sequence, key_head, scratch);
          }};
}

}  // namespace lmzoo::LMZOO_ISA
