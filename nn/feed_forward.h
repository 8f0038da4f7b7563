// The position-wise feed-forward network: two linear maps with an activation between, or a gated pair
// (Shazeer 2020, "GLU variants improve transformer", section 2).
//
// Legend: N positions, D width, F feed-forward width.
#pragma once

#include <string_view>
#include <utility>

#include "base/fields.h"
#include "core/module.h"
#include "nn/kernels/elementwise.h"
#include "nn/linear.h"

namespace lmzoo {

enum class FeedForwardKind { relu, gelu, gelu_tanh, silu, geglu, geglu_tanh, swiglu };
template <>
struct EnumNames<FeedForwardKind> {
  static constexpr std::pair<FeedForwardKind, std::string_view> values[] = {
      {FeedForwardKind::relu, "relu"},
      {FeedForwardKind::gelu, "gelu"},
      {FeedForwardKind::gelu_tanh, "gelu_tanh"},
      {FeedForwardKind::silu, "silu"},
      {FeedForwardKind::geglu, "geglu"},
      {FeedForwardKind::geglu_tanh, "geglu_tanh"},
      {FeedForwardKind::swiglu, "swiglu"}};
};
bool is_gated(FeedForwardKind kind);
Activation activation_of(FeedForwardKind kind);

struct FeedForwardOptions {
  int64_t width = 0;        // D
  int64_t inner_width = 0;  // F
  FeedForwardKind kind = FeedForwardKind::gelu;
  bool bias = true;
  double inner_dropout = 0;  // of the activations (T5)
};

class FeedForward : public Module {
 public:
  explicit FeedForward(const FeedForwardOptions& options);

  Branch forward(const Tensor& x) const;  // [N, D] -> [N, D]

  std::shared_ptr<Linear> in;   // D -> F, gated: D -> 2F, the gate's half first
  std::shared_ptr<Linear> out;  // F -> D

 private:
  FeedForwardOptions options_;
};

}  // namespace lmzoo
