#include "models/feed_forward.h"

namespace lmzoo {
namespace {

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
    case FeedForwardKind::swiglu:
      return Activation::silu;
  }
  throw std::logic_error("a feed-forward kind without an activation");
}

}  // namespace

bool is_gated(FeedForwardKind kind) {
  return kind == FeedForwardKind::geglu || kind == FeedForwardKind::geglu_tanh ||
         kind == FeedForwardKind::swiglu;
}

FeedForward::FeedForward(const FeedForwardOptions& options) : options_(options) {
  const int64_t inner = is_gated(options.kind) ? 2 * options.inner_width : options.inner_width;
  in = register_module("in", std::make_shared<Linear>(LinearOptions{options.width, inner, options.bias}));
  out = register_module(
      "out", std::make_shared<Linear>(LinearOptions{options.inner_width, options.width, options.bias}));
}

Tensor FeedForward::forward(const Tensor& x) const {
  const ActivationInputs inner{.x = in->without_bias(x),
                               .bias = in->bias,
                               .dropout = is_training() ? options_.inner_dropout : 0};  // [N, F or 2F]
  const Activation kind = activation_of(options_.kind);
  return out->without_bias(is_gated(options_.kind) ? gated(inner, kind) : activate(inner, kind));  // [N, D]
}

}  // namespace lmzoo
