// Stacks whose layers differ, for tests.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include <ATen/Context.h>

#include "model_support.h"
#include "nn/block.h"
#include "nn/positions.h"

namespace lmzoo::test {

constexpr int64_t kStackWidth = 8;
constexpr int64_t kStackHeadWidth = 4;
constexpr int64_t kStackLongest = 9;
constexpr double kBases[] = {10000, 50};  // of rotary angles

inline BlockOptions plain_block() {
  return {.attention = {.width = kStackWidth, .shape = {2, 2, kStackHeadWidth}},
          .feed_forward = {.width = kStackWidth, .inner_width = 6}};
}

// Each kind of layer once: ModernBERT's first with a local view, Gemma's, OLMo's without rotation, BERT's, and
// LLaMA's with norms that have no weights.
inline std::vector<BlockOptions> unlike_blocks() {
  std::vector<BlockOptions> blocks(5, plain_block());
  blocks[0].entry_norm = false;
  blocks[0].norm_weights = NormWeights::no_bias;
  blocks[0].attention.mask = MaskKind::full;
  blocks[0].attention.window = 4;
  blocks[0].attention.rotation = 1;
  blocks[1].norm = NormKind::rms;
  blocks[1].norm_order = NormOrder::sandwich;
  blocks[1].attention.shape = {4, 2, kStackHeadWidth};
  blocks[1].attention.window = 3;
  blocks[1].attention.qk_norm = QkNormOptions{};
  blocks[1].attention.out_bias = false;
  blocks[2].norm_order = NormOrder::branch;
  blocks[2].attention.rotation = std::nullopt;
  blocks[2].attention.qk_norm = QkNormOptions{.weights = NormWeights::none};
  blocks[3].norm_order = NormOrder::post;
  blocks[3].attention.bias = false;
  blocks[3].attention.out_bias = true;
  blocks[4].norm = NormKind::rms;
  blocks[4].norm_weights = NormWeights::none;
  blocks[4].feed_forward.kind = FeedForwardKind::geglu;
  return blocks;
}

template <class M>
std::shared_ptr<M> prepared_stack(std::shared_ptr<M> module, at::ScalarType type) {
  at::manual_seed(3);
  randomize(*module);
  module->to(type);
  return module;
}

struct Rotary {
  Positions slow{{.kind = PositionKind::rotary,
                  .head_width = kStackHeadWidth,
                  .max_length = kStackLongest,
                  .theta = kBases[0]}};
  Positions fast{{.kind = PositionKind::rotary,
                  .head_width = kStackHeadWidth,
                  .max_length = kStackLongest,
                  .theta = kBases[1]}};

  SelfView view(const Sequences& sequences) const {
    const Tensor at = sequences.positions();
    return {.sequences = sequences,
            .mask = MaskKind::causal,
            .rotations = {slow.rotation(at, kStackLongest), fast.rotation(at, kStackLongest)}};
  }
};

}  // namespace lmzoo::test
