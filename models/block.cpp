#include "models/block.h"

namespace lmzoo {

Block::Block(const BlockOptions& options) : options_(options) {
  const int64_t width = options.attention.width;
  const auto new_norm = [&] { return std::make_shared<Norm>(options.norm, width, options.norm_eps); };
  attention_norm = register_module("attention_norm", new_norm());
  attention = register_module("attention", std::make_shared<SelfAttention>(options.attention));
  if (options.cross) {
    cross_norm = register_module("cross_norm", new_norm());
    cross_attention = register_module("cross_attention", std::make_shared<CrossAttention>(options.attention));
  }
  feed_forward_norm = register_module("feed_forward_norm", new_norm());
  feed_forward = register_module("feed_forward", std::make_shared<FeedForward>(options.feed_forward));
}

Normed Block::residual(const Tensor& update, const Tensor& bias, const Normed& x, const Norm& norm) const {
  return dropout_add_norm(
      {.x = update, .bias = bias, .residual = x.stream, .dropout = is_training() ? options_.dropout : 0},
      norm.parameters_of(),
      options_.pre_norm ? NormPlacement::pre : NormPlacement::post);
}

Normed Block::forward(const Normed& x, const SelfView& self, const CrossView* cross, const Norm* next) const {
  const bool pre = options_.pre_norm;
  const Norm& after_cross = pre ? *feed_forward_norm : *cross_norm;
  const Norm& after_attention = !pre ? *attention_norm : cross_attention ? *cross_norm : *feed_forward_norm;

  Normed y = residual(attention->forward(x.normed, self), attention->out->bias, x, after_attention);
  if (cross_attention) {
    y = residual(cross_attention->forward(y.normed, *cross), cross_attention->out->bias, y, after_cross);
  }
  const Tensor update = feed_forward->forward(y.normed);
  if (pre && next == nullptr) {
    const Tensor sum = dropout_add({.x = update,
                                    .bias = feed_forward->out->bias,
                                    .residual = y.stream,
                                    .dropout = is_training() ? options_.dropout : 0});
    return {.stream = sum, .normed = sum};
  }
  return residual(update, feed_forward->out->bias, y, pre ? *next : *feed_forward_norm);
}

Stack::Stack(const StackOptions& options) : options_(options) {
  for (int64_t layer = 0; layer < options.layers; ++layer) {
    blocks.push_back(
        register_module("block" + std::to_string(layer), std::make_shared<Block>(options.block)));
  }
  if (options.final_norm && options.block.pre_norm) {
    final_norm = register_module(
        "final_norm",
        std::make_shared<Norm>(options.block.norm, options.block.attention.width, options.block.norm_eps));
  }
}

Tensor Stack::forward(const Tensor& embedded,
                      const SelfView& self,
                      const CrossView* cross,
                      Cache* cache) const {
  const bool pre = options_.block.pre_norm;
  Normed x{.stream = embedded, .normed = pre ? blocks.front()->attention_norm->forward(embedded) : embedded};
  if (self.trace != nullptr) {
    self.trace->hidden.push_back(embedded);
  }
  for (size_t layer = 0; layer < blocks.size(); ++layer) {
    SelfView here = self;
    std::optional<CrossView> across;
    if (cross != nullptr) {
      across.emplace(*cross);
    }
    if (cache != nullptr) {
      here.cache = &cache->layers[layer];
      if (across) {
        across->cache = here.cache;
      }
    }
    const bool last = layer + 1 == blocks.size();
    const Norm* next = !pre ? nullptr : last ? final_norm.get() : blocks[layer + 1]->attention_norm.get();
    x = blocks[layer]->forward(x, here, across ? &*across : nullptr, next);
    if (self.trace != nullptr) {
      self.trace->hidden.push_back(last ? x.normed : x.stream);
    }
  }
  return x.normed;
}

}  // namespace lmzoo
