#include "nn/init.h"

#include <cmath>

namespace lmzoo::init {

void normal(Tensor& tensor, double std) {
  const at::NoGradGuard no_grad;
  tensor.normal_(0, std);
}

void truncated_normal(Tensor& tensor, double std) {
  const at::NoGradGuard no_grad;
  // Φ⁻¹ of a uniform number; ±edge is where erf stands at two deviations.
  const double edge = std::erf(std::sqrt(2.0));
  tensor.uniform_(-edge, edge).erfinv_().mul_(std * std::sqrt(2.0));
}

void normal(Linear& linear, double std) {
  normal(linear.weight, std);
  if (linear.bias.defined()) {
    const at::NoGradGuard no_grad;
    linear.bias.zero_();
  }
}

void identity(Norm& norm) {
  const at::NoGradGuard no_grad;
  if (norm.weight.defined()) {
    norm.weight.fill_(1);
  }
  if (norm.bias.defined()) {
    norm.bias.zero_();
  }
}

void block(Block& block, const BlockScales& scales) {
  for (const auto& [name, module] : block.named_modules()) {
    if (auto* norm = dynamic_cast<Norm*>(module)) {
      identity(*norm);
    }
  }
  normal(*block.attention->qkv, scales.std);
  normal(*block.attention->out, scales.residual_std);
  if (block.cross_attention) {
    normal(*block.cross_attention->q, scales.std);
    normal(*block.cross_attention->kv, scales.std);
    normal(*block.cross_attention->out, scales.residual_std);
  }
  normal(*block.feed_forward->in, scales.std);
  normal(*block.feed_forward->out, scales.residual_std);
}

}  // namespace lmzoo::init
