#include "models/linear.h"

#include "models/kernels/linear.h"
#include "models/parameter.h"

namespace lmzoo {

Linear::Linear(const LinearOptions& options)
    : weight(register_parameter("weight", new_parameter({options.outputs, options.inputs}))) {
  if (options.bias) {
    bias = register_parameter("bias", new_parameter({options.outputs}));
  }
}

Tensor Linear::forward(const Tensor& x) const { return linear_rows(x, weight, bias); }

Branch Linear::branch(const Tensor& x) const { return {linear_rows(x, weight, {}), bias}; }

}  // namespace lmzoo
