// Attention over packed sequences: softmax(scale · q kᵀ + bias) v within each sequence, nothing across them.
//
// Legend: n sequences, M query positions in all, N key positions in all, H query heads, Hk key heads (H a
//         multiple of Hk: query head h reads key head h / (H / Hk)), Dh head width, Lq/Lk a sequence's query
//         and key counts.
//
// On a CPU float32 and bfloat16 take the fused kernel (attention_impl.h): it keeps a few rows of scores in
// cache and saves only the log-sum-exp of each row. float64 takes attention_reference, CUDA tensors take
// LibTorch's kernels.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/batch.h"
#include "core/tensor.h"

namespace lmzoo {

// Which keys a query sees. Queries are aligned with the end of the keys: query i of Lq stands at position Lk
// - Lq + i, so one cached step of generation is the same call.
enum class MaskKind {
  full,
  causal,  // keys at or before its own position
  prefix,  // causal, but everyone sees the first `prefix` keys of the sequence
};

class AttentionMasks;

struct AttentionRule {
  MaskKind mask = MaskKind::full;
  std::vector<int64_t> prefix{};  // [n], for MaskKind::prefix
  // Local attention, beside what the mask shows: without a mask the keys at most window / 2 away on either
  // side (Longformer, ModernBERT), with one the last `window` keys, its own included (Mistral), and those of
  // a prefix less than `window` ahead. Absent: all.
  std::optional<int64_t> window{};
  Tensor bias{};  // added to the scores, may be undefined; gets a gradient. Either
                  //   [H, Lq, Lk] by the longest sequence, or
  //   [H, 2S-1] relative, S >= the longest Lk: entry S-1 + (key - query position).
  //   The relative form is much cheaper (T5).
  std::optional<double> scale{};    // default 1/sqrt(Dh); T5 has 1
  double dropout = 0;               // of the probabilities; pass 0 outside of training
  AttentionMasks* masks = nullptr;  // of the layers of one forward pass; null: none is shared
};

struct AttentionInputs {
  Tensor q;           // [M, H, Dh]; rows may be strided, the last dimension is contiguous
  Tensor k, v;        // [N, Hk, Dh]
  Sequences queries;  // n over M
  Sequences keys;     // n over N
  AttentionRule rule{};
};

// Sizes of a merged projection's heads.
struct HeadShape {
  int64_t heads = 0;      // H
  int64_t key_heads = 0;  // Hk
  int64_t width = 0;      // Dh
};

// -> [M, H, Dh]
Tensor attention(const AttentionInputs& inputs);

// Self-attention from one merged projection, whose rows are H query heads, Hk key heads, Hk value heads; its
// gradient is written into one merged tensor. [N, (H+2Hk)·Dh] -> [N, H·Dh]
Tensor self_attention_qkv(const Tensor& qkv,
                          const HeadShape& shape,
                          const Sequences& sequences,
                          const AttentionRule& rule);

// Cross-attention with merged keys and values. q [M, H·Dh], kv [N, 2·Hk·Dh] -> [M, H·Dh]
struct CrossInputs {
  Tensor q, kv;
  HeadShape shape;
  Sequences queries, keys;
};
Tensor cross_attention_kv(const CrossInputs& inputs, const AttentionRule& rule);

// The same by plain operators, one sequence after the other, for tests, float64 and as documentation. It
// drops the same probabilities as the fused kernel when LibTorch's generator stands at the same state.
Tensor attention_reference(const AttentionInputs& inputs);

// Probabilities [n, H, longest Lq, longest Lk] (float32, no dropout, no gradient), zero outside of sequences:
// traces.
Tensor attention_probabilities(const AttentionInputs& inputs);

}  // namespace lmzoo
