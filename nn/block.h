// A transformer block: self-attention, for a decoder over an encoder also cross-attention, and feed-forward;
// and the stack of them.
//
//   pre-norm   x = x + sublayer(norm(x))    GPT-2, T5, LLaMA; one more norm after the last block
//   post-norm  x = norm(x + sublayer(x))    Vaswani et al. 2017, BERT, GPT-1
//
// Either way a norm follows each residual sum: its own or, pre-norm, that of the next sublayer. So the pair
// (stream, normed) goes from sublayer to sublayer, and bias, dropout, sum and norm are one fused pass.
//
// Legend: N positions, D width.
#pragma once

#include <memory>
#include <vector>

#include "core/module.h"
#include "nn/attention.h"
#include "nn/feed_forward.h"
#include "nn/norm.h"

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

class Block : public Module {
 public:
  explicit Block(const BlockOptions& options);

  // x.stream [N, D] is the residual stream, x.normed what the first sublayer reads. `next`: the norm after
  // this block, which post-norm ignores. `cross` must be given for a block with cross-attention, unless positions are appended.
  // With self.choice both results are of its rows only, and there is no cross-attention.
  Normed forward(Normed x, const SelfView& self, const CrossView* cross, const Norm& next) const;

  std::shared_ptr<Norm> attention_norm;
  std::shared_ptr<SelfAttention> attention;
  std::shared_ptr<Norm> cross_norm;                 // null without cross-attention
  std::shared_ptr<CrossAttention> cross_attention;  // null without cross-attention
  std::shared_ptr<Norm> feed_forward_norm;
  std::shared_ptr<FeedForward> feed_forward;

 private:
  Normed add(const Normed& x, const Branch& branch, const Norm& own, const Norm& next) const;

  BlockOptions options_;
};

class Stack : public Module {
 public:
  Stack(int64_t layers, const BlockOptions& options);

  // Embedded positions [N, D] -> states [N, D], after the final norm. A trace gets `embedded` and every
  // block's stream, the last one after the final norm (as Hugging Face does).
  Tensor forward(const Tensor& embedded, const SelfView& self, const CrossView* cross) const;

  // Decoding: a state without positions; with cross-attention `memory` [N, D] is the encoder's output for the
  // plan's sources. Then new positions [M, D] -> [M, D], which the state has afterwards. In evaluation mode.
  std::unique_ptr<AttentionState> start(const DecodingPlan& plan, const Tensor& memory) const;
  Tensor append(const Tensor& embedded, SelfView self, AttentionState& state, const AppendStep& step) const;

  // The states of wanted rows alone, of a stack without cross-attention: [N, D] -> [K, D]. The last block
  // computes nothing else where that is worth it.
  Tensor forward_at(const Tensor& embedded, const SelfView& self, const WantedRows& wanted) const;

  std::vector<std::shared_ptr<Block>> blocks;
  std::shared_ptr<Norm> final_norm;  // null when post-norm

 private:
  Normed enter(const Tensor& embedded) const;
  Normed through(size_t layer, const Normed& x, const SelfView& self, const CrossView* cross) const;

  bool pre_norm_;
};

}  // namespace lmzoo
