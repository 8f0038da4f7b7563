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

struct AttentionOptions {
  int64_t width = 0;  // D
  HeadShape shape;    // H, Hk, Dh
  bool bias = true;
  double dropout = 0;             // of the probabilities
  std::optional<double> scale{};  // of the scores; absent: 1/√Dh
};

// What one call of self-attention sees besides its input.
struct SelfView {
  const Sequences& sequences;
  MaskKind mask = MaskKind::full;
  std::vector<int64_t> prefix{};  // [n], for MaskKind::prefix
  Tensor bias{};                  // relative positions, [H, 2S-1]; or undefined
  RotaryAngles angles{};          // undefined without rotary positions
  RotaryLayout layout = RotaryLayout::halves;
  const LayerAppend* append = nullptr;  // decoding: this call's positions come behind those of a state
  Trace* trace = nullptr;
  const RowChoice* choice = nullptr;  // the only rows of the output; without an append or a trace
};

class SelfAttention : public Module {
 public:
  explicit SelfAttention(const AttentionOptions& options);

  Branch forward(const Tensor& x, const SelfView& view) const;  // [N, D] -> [N, D], with a choice [K', D]

  std::shared_ptr<Linear> qkv;  // D -> (H + 2 Hk) Dh: queries, keys, values
  std::shared_ptr<Linear> out;  // H Dh -> D

 private:
  Tensor mixed(const Tensor& x, const SelfView& view) const;
  std::vector<Tensor> parts_of(const Tensor& merged) const;
  void record(const Tensor& merged, const SelfView& view) const;
  Tensor appended(const Tensor& merged, const SelfView& view) const;
  Tensor chosen(const Tensor& x, const SelfView& view) const;
  AttentionRule rule(const SelfView& view) const;

  AttentionOptions options_;
};

// What one call of cross-attention sees besides its input.
struct CrossView {
  Tensor memory;             // [N, D], the encoder's output
  const Sequences& targets;  // n over M
  const Sequences& sources;  // n over N
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
