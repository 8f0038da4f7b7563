#include "nn/linear.h"

#include <stdexcept>

#include <ATen/core/grad_mode.h>

#include "nn/kernels/elementwise.h"
#include "nn/kernels/linear.h"
#include "nn/low_rank.h"
#include "nn/parameter.h"

namespace lmzoo {
namespace {

std::string module_name(const std::string& part) { return part.empty() ? "lora" : "lora_" + part; }

LowRankShape shape_of(const Linear& linear, const std::string& part) {
  LowRankShape shape{.inputs = linear.weight.size(1), .first = 0, .rows = linear.weight.size(0)};
  if (part.empty()) {
    return shape;
  }
  for (const RowPart& known : linear.parts) {
    if (known.name == part) {
      shape.rows = known.rows;
      return shape;
    }
    shape.first += known.rows;
  }
  throw std::logic_error("a linear map has no part " + part);
}

}  // namespace

Linear::Linear(const LinearOptions& options)
    : weight(register_parameter("weight", new_parameter({options.outputs, options.inputs}))),
      parts(options.parts) {
  if (options.bias) {
    bias = register_parameter("bias", new_parameter({options.outputs}));
  }
}

Tensor Linear::forward(const Tensor& x) const { return product(x, bias); }

Branch Linear::branch(const Tensor& x) const { return {product(x, {}), bias}; }

Tensor Linear::forward_part(const Tensor& x, int64_t first, int64_t count) const {
  if (!adapters.empty()) {
    throw std::logic_error("forward_part of a linear map with additions");
  }
  return linear_rows(
      x, weight.narrow(0, first, count), bias.defined() ? bias.narrow(0, first, count) : Tensor());
}

Tensor Linear::product(const Tensor& x, const Tensor& added_bias) const {
  if (adapters.empty()) {
    return linear_rows(x, weight, added_bias);
  }
  std::vector<LowRankTerm> terms;
  for (const auto& adapter : adapters) {
    const double p = is_training() ? adapter->options.dropout : 0;
    terms.push_back({.x = p > 0 ? dropout(x, p) : x,
                     .a = adapter->a,
                     .b = adapter->b,
                     .first = adapter->shape.first,
                     .scale = adapter->options.scale});
  }
  return adapted_linear_rows(x, weight, added_bias, terms);
}

LowRank& Linear::adapt(const std::string& part, const LowRankOptions& options) {
  const auto adapter = std::make_shared<LowRank>(shape_of(*this, part), options);
  adapters.push_back(register_module(module_name(part), adapter));
  return *adapter;
}

void Linear::merge() {
  const at::NoGradGuard no_grad;
  for (const auto& adapter : adapters) {
    weight.narrow(0, adapter->shape.first, adapter->shape.rows).add_(adapter->product());
  }
  adapters.clear();
  unregister_modules();
}

}  // namespace lmzoo
