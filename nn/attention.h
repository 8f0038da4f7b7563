// Multi-head attention (Vaswani et al. 2017, section 3.2) with merged projections, over packed sequences.
//
// Legend: n sequences, N positions (of keys), M positions of queries, D width, H query heads, Hk key heads
//         (grouped-query attention when fewer than H), Dh head width.
#pragma once

#include <memory>
#include <optional>

#include "core/module.h"
#include "nn/attention_state.h"
#include "nn/kernels/attention.h"
#include "nn/kernels/elementwise.h"
#include "nn/linear.h"
#include "nn/norm.h"
#include "nn/positions.h"
#include "nn/row_choice.h"

namespace lmzoo {

// Heads as users give them. head_shape refuses what does not divide.
struct HeadCounts {
  int64_t width = 0;  // D
  int64_t heads = 0;
  std::optional<int64_t> kv_heads{};    // absent: as many as heads
  std::optional<int64_t> head_width{};  // absent: width / heads
};
HeadShape head_shape(const HeadCounts& counts);

// RMS norm over each head of the queries and of the keys, before they are turned (Dehghani et al. 2023,
// "Scaling vision transformers to 22 billion parameters", section 2; Qwen 3, Gemma 3).
struct QkNormOptions {
  double eps = 1e-6;
  NormWeights weights = NormWeights::all;  // [Dh] of the queries and [Dh] of the keys
};

struct AttentionOptions {
  int64_t width = 0;               // D
  HeadShape shape;                 // H, Hk, Dh
  bool bias = true;                // of queries, keys and values
  std::optional<bool> out_bias{};  // of the output; absent: as bias
  double dropout = 0;              // of the probabilities
  std::optional<double> scale{};   // of the scores; absent: 1/√Dh
  // Self-attention only, where layers of one model may differ:
  std::optional<MaskKind> mask{};      // absent: that of the call
  std::optional<int64_t> window{};     // AttentionRule::window
  std::optional<size_t> rotation = 0;  // which of the call's rotations turns queries and keys; absent: none
  std::optional<QkNormOptions> qk_norm{};
};

// What one call of self-attention sees besides its input.
struct SelfView {
  const Sequences& sequences;
  MaskKind mask = MaskKind::full;
  std::vector<int64_t> prefix{};      // [n], for MaskKind::prefix
  Tensor bias{};                      // relative positions, [H, 2S-1]; or undefined
  std::vector<Rotation> rotations{};  // AttentionOptions::rotation names one; empty: no layer turns anything
  AttentionMasks* masks = nullptr;    // of all layers, on an accelerator
  const LayerAppend* append = nullptr;  // decoding: this call's positions come behind those of a state
  Trace* trace = nullptr;
  const RowChoice* choice = nullptr;  // the only rows of the output; without an append or a trace
};

// Heads of a projection, in this order: some of queries, some of keys, and those of values.
struct HeadRun {
  int64_t queries = 0, keys = 0;
};

class SelfAttention : public Module {
 public:
  explicit SelfAttention(const AttentionOptions& options);

  Branch forward(const Tensor& x, const SelfView& view) const;  // [N, D] -> [N, D], with a choice [K', D]

  std::shared_ptr<Linear> qkv;                 // D -> (H + 2 Hk) Dh: queries, keys, values
  std::shared_ptr<Linear> out;                 // H Dh -> D
  std::shared_ptr<Norm> query_norm, key_norm;  // of heads; null without qk_norm

  const AttentionOptions& options() const { return options_; }

 private:
  Tensor heads(const Tensor& x, const HeadRun& run, const Rotation* rotation) const;
  Tensor mixed(const Tensor& x, const SelfView& view) const;
  std::vector<Tensor> parts_of(const Tensor& merged) const;
  void record(const Tensor& merged, const SelfView& view) const;
  Tensor appended(const Tensor& merged, const SelfView& view) const;
  Tensor chosen(const Tensor& x, const SelfView& view) const;
  AttentionRule rule(const SelfView& view) const;
  const Rotation* rotation(const SelfView& view) const;

  AttentionOptions options_;
};

// What one call of cross-attention sees besides its input.
struct CrossView {
  Tensor memory;                    // [N, D], the encoder's output
  const Sequences& targets;         // n over M
  const Sequences& sources;         // n over N
  AttentionMasks* masks = nullptr;  // of all layers, on an accelerator
};

class CrossAttention : public Module {
 public:
  explicit CrossAttention(const AttentionOptions& options);

  Branch forward(const Tensor& x, const CrossView& view) const;  // [M, D] -> [M, D]

  // Decoding: keys and values of the encoder's output [N, D], once, and new positions over them.
  SourceKeys keys_of(const Tensor& memory, const Sequences& sources) const;
  Branch append(const Tensor& x, const LayerAppend& append) const;  // [M, D] -> [M, D]

  std::shared_ptr<Linear> q;    // D -> H Dh
  std::shared_ptr<Linear> kv;   // D -> 2 Hk Dh: keys, values
  std::shared_ptr<Linear> out;  // H Dh -> D

 private:
  AttentionRule rule() const;

  AttentionOptions options_;
};

}  // namespace lmzoo
