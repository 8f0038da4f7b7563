#include "models/cost.h"

namespace lmzoo {

double matrix_weights(const Stack& stack) {
  double count = 0;
  for (const auto& block : stack.blocks) {
    count +=
        static_cast<double>(block->attention->qkv->weight.numel() + block->attention->out->weight.numel());
    count += static_cast<double>(block->feed_forward->in->weight.numel() +
                                 block->feed_forward->out->weight.numel());
    if (block->cross_attention) {
      count += static_cast<double>(block->cross_attention->q->weight.numel() +
                                   block->cross_attention->out->weight.numel());
    }
  }
  return count;
}

double attention_flops(int64_t layers, int64_t channels, double queries, double visible) {
  return 12.0 * static_cast<double>(layers) * static_cast<double>(channels) * queries * visible;
}

}  // namespace lmzoo
