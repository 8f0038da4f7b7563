// A transformer block: attention, for a decoder over an encoder also cross-attention, and feed-forward, each
// a residual step with its norm; and the stack of them.
//
// Pre-norm (GPT-2, T5, LLaMA): x + f(norm(x)), a last norm after all blocks. Post-norm (Vaswani et al. 2017,
// BERT, GPT-1): norm(x + f(x)). A residual step and the norm that reads its sum are one fused pass, so a
// block is told which norm comes after it.
//
// Legend: N positions, D width.
#pragma once

#include <memory>
#include <vector>

#include <torch/nn/module.h>

#include "models/attention.h"
#include "models/feed_forward.h"
#include "models/norm.h"

namespace lmzoo {

struct BlockOptions {
  AttentionOptions attention;
  FeedForwardOptions feed_forward;
  NormKind norm = NormKind::layer;
  double norm_eps = 1e-5;
  bool pre_norm = true;
  bool cross = false;  // cross-attention between the two
  double dropout = 0;  // of what a sublayer adds
};

class Block : public torch::nn::Module {
 public:
  explicit Block(const BlockOptions& options);

  // x.stream [N, D] is the residual stream, x.normed what the block's first sublayer reads. `next`: pre-norm
  // only, the norm after this block. `cross` must be given for a block with cross-attention.
  Normed forward(const Normed& x, const SelfView& self, const CrossView* cross, const Norm* next) const;

  std::shared_ptr<SelfAttention> attention;
  std::shared_ptr<CrossAttention> cross_attention;  // may be null
  std::shared_ptr<FeedForward> feed_forward;
  std::shared_ptr<Norm> attention_norm, cross_norm, feed_forward_norm;

 private:
  Normed residual(const Tensor& update, const Tensor& bias, const Normed& x, const Norm& norm) const;

  BlockOptions options_;
};

struct StackOptions {
  BlockOptions block;
  int64_t layers = 1;
  bool final_norm = true;  // pre-norm only
};

class Stack : public torch::nn::Module {
 public:
  explicit Stack(const StackOptions& options);

  // Embedded positions [N, D] -> states [N, D]. `cache` has a layer for each block or is null.
  Tensor forward(const Tensor& embedded, const SelfView& self, const CrossView* cross, Cache* cache) const;

  std::vector<std::shared_ptr<Block>> blocks;
  std::shared_ptr<Norm> final_norm;  // may be null

 private:
  StackOptions options_;
};

}  // namespace lmzoo
