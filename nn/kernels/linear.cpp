#include "nn/kernels/linear.h"

#include <optional>

#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <torch/csrc/autograd/custom_function.h>

#include "nn/kernels/autocast.h"
#include "nn/kernels/product.h"

namespace lmzoo {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr int64_t kFewestRows = 64;  // below, rows repeat by themselves (generation) or cost little

// Few distinct numbers, of which the next is never far.
int64_t rounded_rows(int64_t rows) {
  const int64_t step = rows < 512 ? 16 : 64;
  return (rows + step - 1) / step * step;
}

// How many rows a bfloat16 product of x [R, C] shall have.
int64_t computed_rows(const Tensor& x) {
  const int64_t rows = x.size(0);
  const bool compiles = x.is_cpu() && multiplies_bfloat16(x.device()) && rows >= kFewestRows;
  return compiles ? rounded_rows(rows) : rows;
}

// x [R, C] in bfloat16 with zeros below it.
Tensor padded(const Tensor& x, int64_t rows) {
  if (x.size(0) == rows) {
    return x.to(at::kBFloat16).contiguous();
  }
  const Tensor result = at::empty({rows, x.size(1)}, x.options().dtype(at::kBFloat16));
  result.narrow(0, 0, x.size(0)).copy_(x);
  result.narrow(0, x.size(0), rows - x.size(0)).zero_();
  return result;
}

class PaddedLinear : public torch::autograd::Function<PaddedLinear> {
 public:
  static Tensor forward(AutogradContext* context,
                        const Tensor& x,
                        const Tensor& weight,
                        const std::optional<Tensor>& bias) {
    const Tensor rows = padded(x, computed_rows(x));
    const Tensor narrow_weight = weight.to(at::kBFloat16);
    const Tensor y =
        linear_product(rows, narrow_weight, bias ? std::optional(bias->to(at::kBFloat16)) : std::nullopt);
    context->save_for_backward({rows, narrow_weight});
    context->saved_data["x"] = x.scalar_type();
    context->saved_data["weight"] = weight.scalar_type();
    context->saved_data["bias"] = bias.has_value();
    return y.narrow(0, 0, x.size(0));
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const Tensor& rows = saved[0];
    const Tensor gradient = padded(gradients[0], rows.size(0));
    const auto weight_type = context->saved_data["weight"].toScalarType();
    variable_list result(3);
    if (context->needs_input_grad(0)) {
      result[0] = product(gradient, saved[1])
                      .narrow(0, 0, gradients[0].size(0))
                      .to(context->saved_data["x"].toScalarType());
    }
    if (context->needs_input_grad(1)) {
      result[1] = product(gradient.t(), rows).to(weight_type);
    }
    if (context->saved_data["bias"].toBool() && context->needs_input_grad(2)) {
      result[2] = gradients[0].sum(0).to(weight_type);
    }
    return result;
  }
};

// Whether the product is one in bfloat16 on the CPU.
bool in_bfloat16(const Tensor& x, const Tensor& weight) {
  if (!x.is_cpu() || weight.scalar_type() == at::kDouble) {
    return false;
  }
  const bool autocast = autocast_type(at::kCPU) == at::kBFloat16;
  return autocast || (x.scalar_type() == at::kBFloat16 && weight.scalar_type() == at::kBFloat16);
}

Tensor narrowed(const Tensor& weight, bool narrow) { return narrow ? weight.to(at::kBFloat16) : weight; }

// Where the tensors of a call stand: x, weight, perhaps bias, then each term's a, b and, with dropout, its
// own x.
struct AdaptedLayout {
  bool narrow = false;  // products in bfloat16
  bool has_bias = false;
  bool own_x = false;
  std::vector<int64_t> first{};
  std::vector<double> scale{};

  size_t term(size_t index) const { return 2 + (has_bias ? 1 : 0) + index * (own_x ? 3 : 2); }
  size_t x_of(size_t index) const { return own_x ? term(index) + 2 : 0; }
  size_t terms() const { return first.size(); }
  bool is_rows(size_t place) const {
    return place == 0 || (own_x && place >= term(0) && (place - term(0)) % 3 == 2);
  }
};

class AdaptedLinear : public torch::autograd::Function<AdaptedLinear> {
 public:
  static Tensor forward(AutogradContext* context, at::TensorList in, const AdaptedLayout& layout) {
    const int64_t rows = in[0].size(0);
    const int64_t computed = layout.narrow ? computed_rows(in[0]) : rows;
    variable_list saved;  // the arguments as the products read them, then each term's x aᵀ
    for (size_t i = 0; i < in.size(); ++i) {
      saved.push_back(layout.narrow && layout.is_rows(i) ? padded(in[i], computed)
                                                         : narrowed(in[i], layout.narrow));
    }
    const Tensor y =
        linear_product(saved[0], saved[1], layout.has_bias ? std::optional(saved[2]) : std::nullopt);
    for (size_t i = 0; i < layout.terms(); ++i) {
      const size_t at = layout.term(i);
      const Tensor b = saved[at + 1];                                  // not a reference: `saved` grows
      saved.push_back(product(saved[layout.x_of(i)], saved[at].t()));  // [R, r]
      add_product(y.narrow(1, layout.first[i], b.size(0)), saved.back(), b.t(), layout.scale[i]);
    }
    context->saved_data["narrow"] = layout.narrow;
    context->saved_data["has_bias"] = layout.has_bias;
    context->saved_data["own_x"] = layout.own_x;
    context->saved_data["first"] = layout.first;
    context->saved_data["scale"] = layout.scale;
    context->save_for_backward(std::move(saved));
    return y.narrow(0, 0, rows);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const AdaptedLayout layout{.narrow = context->saved_data["narrow"].toBool(),
                               .has_bias = context->saved_data["has_bias"].toBool(),
                               .own_x = context->saved_data["own_x"].toBool(),
                               .first = context->saved_data["first"].toIntVector(),
                               .scale = context->saved_data["scale"].toDoubleVector()};
    const variable_list saved = context->get_saved_variables();
    const size_t inputs = layout.term(layout.terms());
    const Tensor gradient = layout.narrow ? padded(gradients[0], saved[0].size(0)) : gradients[0];
    variable_list result(inputs + 1);  // the last one is the layout's place
    if (context->needs_input_grad(0)) {
      result[0] = product(gradient, saved[1]);
    }
    if (context->needs_input_grad(1)) {
      result[1] = product(gradient.t(), saved[0]);
    }
    if (layout.has_bias && context->needs_input_grad(2)) {
      result[2] = gradients[0].sum(0);
    }
    for (size_t i = 0; i < layout.terms(); ++i) {
      const size_t at = layout.term(i), x = layout.x_of(i);
      const Tensor part = gradient.narrow(1, layout.first[i], saved[at + 1].size(0));  // [R, O']
      const Tensor inner = product(part, saved[at + 1]).mul_(layout.scale[i]);         // [R, r]
      result[at] = product(inner.t(), saved[x]);
      result[at + 1] = product(part.t(), saved[inputs + i]).mul_(layout.scale[i]);
      if (layout.own_x && context->needs_input_grad(x)) {
        result[x] = product(inner, saved[at]);
      } else if (!layout.own_x && result[0].defined()) {
        add_product(result[0], inner, saved[at]);
      }
    }
    for (size_t i = 0; i < inputs; ++i) {  // autograd itself turns them to the types of the arguments
      if (layout.is_rows(i) && result[i].defined()) {
        result[i] = result[i].narrow(0, 0, gradients[0].size(0));
      }
    }
    return result;
  }
};

}  // namespace

Tensor linear_rows(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  const std::optional<Tensor> maybe_bias = bias.defined() ? std::optional(bias) : std::nullopt;
  if (!in_bfloat16(x, weight)) {
    return at::linear(x, weight, maybe_bias);
  }
  const Tensor rows = x.reshape({-1, x.size(-1)});
  if (multiplies_bfloat16(x.device()) && computed_rows(rows) == rows.size(0)) {
    return at::linear(x, weight, maybe_bias);
  }
  const Tensor y = PaddedLinear::apply(rows, weight, maybe_bias);
  std::vector<int64_t> shape = x.sizes().vec();
  shape.back() = weight.size(0);
  return y.view(shape);
}

Tensor adapted_linear_rows(const Tensor& x,
                           const Tensor& weight,
                           const Tensor& bias,
                           std::span<const LowRankTerm> terms) {
  const bool autocast = weight.scalar_type() == at::kFloat && autocast_type(x.device()) == at::kBFloat16;
  AdaptedLayout layout{.narrow = autocast || x.scalar_type() == at::kBFloat16, .has_bias = bias.defined()};
  variable_list inputs{x, weight};
  if (layout.has_bias) {
    inputs.push_back(bias);
  }
  for (const LowRankTerm& term : terms) {
    layout.own_x |= !term.x.is_same(x);
    layout.first.push_back(term.first);
    layout.scale.push_back(term.scale);
  }
  for (const LowRankTerm& term : terms) {
    inputs.insert(inputs.end(), {term.a, term.b});
    if (layout.own_x) {
      inputs.push_back(term.x);
    }
  }
  return AdaptedLinear::apply(at::TensorList(inputs), layout);
}

}  // namespace lmzoo
