// A transformer block: self-attention, for a decoder over an encoder also cross-attention, and feed-forward;
// and the stack of them. Layers of a stack may differ in everything but their width, and several may be the
// same block.
//
// A norm follows most residual sums: a sublayer's own (post-norm) or, pre-norm, that of the next sublayer. So
// the pair (stream, normed) goes from sublayer to sublayer, and bias, dropout, sum and norm are one fused
// pass.
//
// Legend: N positions, D width.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/model.h"
#include "core/module.h"
#include "nn/attention.h"
#include "nn/feed_forward.h"
#include "nn/norm.h"

namespace lmzoo {

// Where the norms of a sublayer f stand; x is the residual stream. After the last block comes one more, unless
// it is post-norm.
enum class NormOrder {
  pre,       // x + f(norm(x))        GPT-2, T5, LLaMA
  post,      // norm(x + f(x))        Vaswani et al. 2017, BERT, GPT-1
  sandwich,  // x + norm(f(norm(x)))  Gemma 2
  branch,    // x + norm(f(x))        OLMo 2
};

struct BlockOptions {
  AttentionOptions attention;
  FeedForwardOptions feed_forward;
  NormKind norm = NormKind::layer;
  double norm_eps = 1e-5;
  NormWeights norm_weights = NormWeights::all;
  NormOrder norm_order = NormOrder::pre;
  bool entry_norm = true;  // false: no norm before attention, for a block whose input is normed (ModernBERT)
  bool cross = false;      // cross-attention between the two
  double dropout = 0;      // of what a sublayer adds
};

class Block : public Module {
 public:
  explicit Block(const BlockOptions& options);

  // x.stream [N, D] is the residual stream, x.normed what the first sublayer reads. `next`: the norm that comes
  // after this block, or null. `cross` must be given for a block with cross-attention, unless positions are
  // appended.
  // With self.choice both results are of its rows only, and there is no cross-attention.
  Normed forward(Normed x, const SelfView& self, const CrossView* cross, const Norm* next) const;

  // The norm that the block's input passes first, or null.
  const Norm* entry() const { return reads_normed() ? attention_norm.get() : nullptr; }

  std::shared_ptr<Norm> attention_norm;  // null without entry_norm
  std::shared_ptr<SelfAttention> attention;
  std::shared_ptr<Norm> cross_norm;                 // null without cross-attention
  std::shared_ptr<CrossAttention> cross_attention;  // null without cross-attention
  std::shared_ptr<Norm> feed_forward_norm;
  std::shared_ptr<FeedForward> feed_forward;
  std::shared_ptr<Norm> attention_out_norm, cross_out_norm, feed_forward_out_norm;  // sandwich only

 private:
  // Norms around what a sublayer adds.
  struct Around {
    const Norm* own;   // the sublayer's
    const Norm* out;   // its second one (sandwich)
    const Norm* next;  // the next sublayer's, before it
  };
  Normed add(const Normed& x, Branch branch, const Around& norms) const;
  bool reads_normed() const;

  BlockOptions options_;
};

struct StackOptions {
  std::vector<BlockOptions> blocks;  // from the bottom
  std::vector<size_t> order{};       // the block of each layer; empty: every block is one layer
};
StackOptions uniform_stack(int64_t layers, const BlockOptions& block);
// So many layers of `groups` blocks, consecutive ones alike (ALBERT: Lan et al. 2020, section 3.1).
StackOptions shared_stack(int64_t layers, int64_t groups, const BlockOptions& block);

class Stack : public Module {
 public:
  explicit Stack(const StackOptions& options);

  // Embedded positions [N, D] -> states [N, D], after the final norm. A trace gets `embedded` and every
  // block's stream, the last one after the final norm (as Hugging Face does).
  Tensor forward(const Tensor& embedded, SelfView self, const CrossView* cross) const;

  // Decoding: a state without positions; with cross-attention `memory` [N, D] is the encoder's output for the
  // plan's sources. Then new positions [M, D] -> [M, D], which the state has afterwards. In evaluation mode.
  std::unique_ptr<AttentionState> start(const DecodingPlan& plan, const Tensor& memory) const;
  Tensor append(const Tensor& embedded, SelfView self, AttentionState& state, const AppendStep& step) const;

  // The states of wanted rows alone, of a stack without cross-attention: [N, D] -> [K, D]. The last block
  // computes nothing else where that is worth it.
  Tensor forward_at(const Tensor& embedded, const SelfView& self, const WantedRows& wanted) const;

  size_t layers() const { return order_.size(); }
  const Block& layer(size_t i) const { return *blocks[order_[i]]; }
  // The parts of a model that this stack is, under its name there: the blocks, and what comes after them.
  std::vector<ModelPart> parts(const std::string& name, PartInput input) const;

  std::vector<std::shared_ptr<Block>> blocks;
  std::shared_ptr<Norm> final_norm;  // null when the last layer is post-norm

 private:
  Normed enter(const Tensor& embedded) const;
  Normed through(size_t layer, const Normed& x, const SelfView& self, const CrossView* cross) const;

  std::vector<size_t> order_;
};

}  // namespace lmzoo
