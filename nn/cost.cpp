#include "nn/cost.h"

#include "nn/low_rank.h"

namespace lmzoo {
namespace {

// A step multiplies by a weight in the forward pass, for the gradient of what it reads, and for the weight's
// own: a frozen weight lacks the last third.
double weights_of(const Linear& linear) {
  double count = static_cast<double>(linear.weight.numel()) * (linear.weight.requires_grad() ? 1 : 2.0 / 3);
  for (const auto& adapter : linear.adapters) {
    count += static_cast<double>(adapter->a.numel() + adapter->b.numel());
  }
  return count;
}

}  // namespace

double matrix_weights(const Stack& stack) {
  double count = 0;
  for (size_t i = 0; i < stack.layers(); ++i) {
    const Block& block = stack.layer(i);
    count += weights_of(*block.attention->qkv) + weights_of(*block.attention->out);
    count += weights_of(*block.feed_forward->in) + weights_of(*block.feed_forward->out);
    if (block.cross_attention) {
      count += weights_of(*block.cross_attention->q) + weights_of(*block.cross_attention->out);
    }
  }
  return count;
}

double attention_flops(int64_t layers, int64_t channels, double queries, double visible) {
  return 12.0 * static_cast<double>(layers) * static_cast<double>(channels) * queries * visible;
}

}  // namespace lmzoo
