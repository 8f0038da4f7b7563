#include "nn/feed_forward.h"

#include <stdexcept>

namespace lmzoo {

Activation activation_of(FeedForwardKind kind) {
  switch (kind) {
    case FeedForwardKind::relu:
      return Activation::relu;
    case FeedForwardKind::gelu:
    case FeedForwardKind::geglu:
      return Activation::gelu;
    case FeedForwardKind::gelu_tanh:
    case FeedForwardKind::geglu_tanh:
      return Activation::gelu_tanh;
    case FeedForwardKind::silu:
    case FeedForwardKind::swiglu:
      return Activation::silu;
  }
  throw std::logic_error("a feed-forward kind without an activation");
}

bool is_gated(FeedForwardKind kind) {
  return kind == FeedForwardKind::geglu || kind == FeedForwardKind::geglu_tanh ||
         kind == FeedForwardKind::swiglu;
}

FeedForward::FeedForward(const FeedForwardOptions& options) : options_(options) {
  const int64_t inner = options.inner_width;
  LinearOptions both{options.width, inner, options.bias};
  if (is_gated(options.kind)) {
    both.outputs = 2 * inner;
    both.parts = {{"gate", inner}, {"up", inner}};
  }
  in = register_module("in", std::make_shared<Linear>(both));
  out = register_module(
      "out", std::make_shared<Linear>(LinearOptions{options.inner_width, options.width, options.bias}));
}

Branch FeedForward::forward(const Tensor& x) const {
  const Branch inner = in->branch(x);  // [N, F], gated [N, 2F]
  const ActivationInputs inputs{
      .x = inner.x, .bias = inner.bias, .dropout = is_training() ? options_.inner_dropout : 0};
  const Activation f = activation_of(options_.kind);
  return out->branch(is_gated(options_.kind) ? gated(inputs, f) : activate(inputs, f));  // [N, F] -> [N, D]
}

}  // namespace lmzoo
