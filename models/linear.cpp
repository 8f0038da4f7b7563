#include "models/linear.h"

#include <ATen/ops/embedding.h>
#include <ATen/ops/linear.h>

#include "models/parameter.h"

namespace lmzoo {

Linear::Linear(const LinearOptions& options)
    : weight(register_parameter("weight", new_parameter({options.outputs, options.inputs}))) {
  if (options.bias) {
    bias = register_parameter("bias", new_parameter({options.outputs}));
  }
}

Tensor Linear::forward(const Tensor& x) const {
  return bias.defined() ? at::linear(x, weight, bias) : at::linear(x, weight);
}

Tensor Linear::without_bias(const Tensor& x) const { return at::linear(x, weight); }

Embedding::Embedding(int64_t rows, int64_t width)
    : weight(register_parameter("weight", new_parameter({rows, width}))) {}

Tensor Embedding::forward(const Tensor& ids) const { return at::embedding(weight, ids); }

}  // namespace lmzoo
