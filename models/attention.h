// Multi-head attention (Vaswani et al. 2017, section 3.2) with merged projections, over packed sequences.
//
// Legend: N positions (of keys), M positions of queries, D width, H query heads, Hk key heads, Dh head width.
#pragma once

#include <memory>
#include <optional>

#include <torch/nn/module.h>

#include "models/kernels/attention.h"
#include "models/kernels/elementwise.h"
#include "models/linear.h"

namespace lmzoo {

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
  std::optional<RotaryAngles> angles{};
  RotaryLayout layout = RotaryLayout::halves;
  LayerCache* cache = nullptr;  // generation: keys and values so far, extended by this call
  Trace* trace = nullptr;
};

class SelfAttention : public torch::nn::Module {
 public:
  explicit SelfAttention(const AttentionOptions& options);

  // [N, D] -> [N, D] without out.bias, which the caller's fused residual step adds.
  Tensor forward(const Tensor& x, const SelfView& view) const;

  std::shared_ptr<Linear> qkv;  // D -> (H + 2 Hk) Dh: queries, keys, values
  std::shared_ptr<Linear> out;  // H Dh -> D

 private:
  AttentionRule rule(const SelfView& view) const;
  Tensor piecewise(const Tensor& merged, const SelfView& view) const;

  AttentionOptions options_;
};

// What one call of cross-attention sees besides its input.
struct CrossView {
  const Tensor& memory;         // [N, D], the encoder's output
  const Sequences& targets;     // n over M
  const Sequences& sources;     // n over N
  LayerCache* cache = nullptr;  // generation: keys and values of the memory, computed once
  Trace* trace = nullptr;
};

class CrossAttention : public torch::nn::Module {
 public:
  explicit CrossAttention(const AttentionOptions& options);

  // [M, D] -> [M, D] without out.bias.
  Tensor forward(const Tensor& x, const CrossView& view) const;

  std::shared_ptr<Linear> q;    // D -> H Dh
  std::shared_ptr<Linear> kv;   // D -> 2 Hk Dh: keys, values
  std::shared_ptr<Linear> out;  // H Dh -> D

 private:
  AttentionOptions options_;
};

}  // namespace lmzoo
