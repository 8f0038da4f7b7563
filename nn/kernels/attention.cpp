// Chooses an implementation of attention, and the fused CPU one as a step of autograd.
#include "nn/kernels/attention.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <utility>

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/custom_class.h>

#include "core/isa.h"
#include "nn/kernels/attention_device.h"
#include "nn/kernels/attention_problem.h"
#include "nn/kernels/attention_shape.h"
#include "nn/kernels/autocast.h"
#include "nn/kernels/dropout.h"

namespace lmzoo {
namespace {

// How q, k, v lie in the tensors that autograd sees, so that gradients can lie there too.
enum class Merge { none, qkv, kv };

// q, k, v as [positions, heads, Dh], undefined where the source is.
struct Heads {
  Tensor q, k, v;
};
using Sources = std::array<Tensor, 3>;

Heads heads_of(const Sources& sources, Merge merge, const HeadShape& shape) {
  const auto view = [&](const Tensor& rows) { return rows.view({rows.size(0), -1, shape.width}); };
  switch (merge) {
    case Merge::qkv: {
      const Tensor all = view(sources[0]);
      return {all.narrow(1, 0, shape.heads),
              all.narrow(1, shape.heads, shape.key_heads),
              all.narrow(1, shape.heads + shape.key_heads, shape.key_heads)};
    }
    case Merge::kv: {
      const Tensor kv = view(sources[1]);
      return {
          view(sources[0]), kv.narrow(1, 0, shape.key_heads), kv.narrow(1, shape.key_heads, shape.key_heads)};
    }
    case Merge::none:
      break;
  }
  return {sources[0], sources[1], sources[2]};
}

// Everything of a call that is not a tensor with a gradient; kept for the backward pass.
struct AttentionCall : torch::CustomClassHolder {
  Merge merge = Merge::none;
  HeadShape shape;
  Sequences queries, keys;
  MaskKind mask = MaskKind::full;
  std::vector<int64_t> prefix;
  Reach reach;
  double scale = 1;
  DropoutMask dropout;
};

AttentionProblem problem_of(const AttentionCall& call, const Heads& heads, const Tensor& bias) {
  AttentionProblem problem;
  problem.q = matrix_of(heads.q);
  problem.k = matrix_of(heads.k);
  problem.v = matrix_of(heads.v);
  problem.query_starts = call.queries.starts().data();
  problem.key_starts = call.keys.starts().data();
  problem.prefix = call.mask == MaskKind::prefix ? call.prefix.data() : nullptr;
  problem.heads = call.shape.heads;
  problem.key_heads = call.shape.key_heads;
  problem.width = call.shape.width;
  problem.longest_keys = call.keys.longest();
  problem.half = heads.q.scalar_type() == at::kBFloat16;
  problem.causal = call.mask != MaskKind::full;
  problem.behind = call.reach.behind;
  problem.ahead = call.reach.ahead;
  set_bias(problem, bias);
  problem.scale = static_cast<float>(call.scale);
  problem.dropout = call.dropout;
  return problem;
}

AttentionKernels attention_kernels_here() { return LMZOO_BEST_ISA(attention_kernels()); }

// Gradients of one call and how the work is cut: by sequence and key head or, when the bias needs a gradient,
// in `parts` runs of sequences, each with a buffer of its own that is added up in a fixed order.
void run_backward(const AttentionProblem& problem, int64_t sequences, Tensor* bias_gradient) {
  const AttentionKernels kernel = attention_kernels_here();
  const int64_t scratch = kernel.scratch(problem);
  if (bias_gradient == nullptr) {
    for_each_task(sequences * problem.key_heads, scratch, [&](int64_t index, float* memory) {
      kernel.backward(problem, index / problem.key_heads, index % problem.key_heads, memory, nullptr);
    });
    return;
  }
  const int64_t wanted = (2 * at::get_num_threads() + problem.key_heads - 1) / problem.key_heads;
  const int64_t parts = std::min(sequences, wanted);
  std::vector<int64_t> shape = bias_gradient->sizes().vec();
  shape.insert(shape.begin(), parts);
  const Tensor partial = at::zeros(shape, on_cpu(at::kFloat));
  for_each_task(parts * problem.key_heads, scratch, [&](int64_t index, float* memory) {
    const int64_t part = index / problem.key_heads;
    auto* own = partial.mutable_data_ptr<float>() + part * bias_gradient->numel();
    for (int64_t s = sequences * part / parts; s < sequences * (part + 1) / parts; ++s) {
      kernel.backward(problem, s, index % problem.key_heads, memory, own);
    }
  });
  *bias_gradient = parts == 1 ? partial[0] : partial.sum(0);
}

class FusedAttention : public torch::autograd::Function<FusedAttention> {
 public:
  static Tensor forward(torch::autograd::AutogradContext* context,
                        const Tensor& first,
                        const std::optional<Tensor>& second,
                        const std::optional<Tensor>& third,
                        const std::optional<Tensor>& maybe_bias,
                        const c10::intrusive_ptr<AttentionCall>& call) {
    const Sources sources{first, second.value_or(Tensor()), third.value_or(Tensor())};
    const Tensor bias = maybe_bias.value_or(Tensor());
    const HeadShape& shape = call->shape;
    const Heads heads = heads_of(sources, call->merge, shape);
    const Tensor out = at::empty({call->queries.total(), shape.heads, shape.width}, first.options());
    const Tensor lse = at::empty({call->queries.total(), call->shape.heads}, on_cpu(at::kFloat));
    AttentionProblem problem = problem_of(*call, heads, bias);
    problem.out = matrix_of(out);
    problem.lse = lse.mutable_data_ptr<float>();
    const AttentionKernels kernel = attention_kernels_here();
    const int64_t tasks = call->queries.count() * problem.key_heads;
    for_each_task(tasks, kernel.scratch(problem), [&](int64_t index, float* memory) {
      kernel.forward(problem, index / problem.key_heads, index % problem.key_heads, memory);
    });
    context->save_for_backward({sources[0], sources[1], sources[2], bias, out, lse});
    context->saved_data["call"] = c10::IValue::make_capsule(call);
    return out;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const auto holder = context->saved_data["call"].toCapsule();
    const auto& call = static_cast<const AttentionCall&>(*holder);
    const Sources sources{saved[0], saved[1], saved[2]};
    Sources wanted;
    size_t bias_edge = 0;  // autograd counts the tensors that are there
    for (size_t i = 0; i < sources.size(); ++i) {
      if (sources[i].defined()) {
        wanted[i] = at::empty(sources[i].sizes(), sources[i].options());
        ++bias_edge;
      }
    }
    const Tensor& bias = saved[3];
    AttentionProblem problem = problem_of(call, heads_of(sources, call.merge, call.shape), bias);
    const Tensor dout = gradients[0].contiguous();
    const Heads into = heads_of(wanted, call.merge, call.shape);
    problem.out = matrix_of(saved[4]);
    problem.lse = saved[5].mutable_data_ptr<float>();
    problem.dout = matrix_of(dout);
    problem.dq = matrix_of(into.q);
    problem.dk = matrix_of(into.k);
    problem.dv = matrix_of(into.v);
    Tensor bias_gradient =
        bias.defined() && context->needs_input_grad(bias_edge) ? at::empty_like(bias) : Tensor();
    run_backward(problem, call.queries.count(), bias_gradient.defined() ? &bias_gradient : nullptr);
    return {wanted[0], wanted[1], wanted[2], bias_gradient, Tensor()};
  }
};

// Rows that the kernel can read: the last dimension contiguous and, in bfloat16, everything in pairs.
bool readable(const Tensor& heads) {
  const bool pairs = heads.scalar_type() != at::kBFloat16 ||
                     (heads.size(2) % 2 == 0 && heads.stride(0) % 2 == 0 && heads.stride(1) % 2 == 0);
  return heads.stride(2) == 1 && pairs;
}

bool fusible_attention(const Heads& heads) {
  const auto type = heads.q.scalar_type();
  return heads.q.is_cpu() && (type == at::kFloat || type == at::kBFloat16) && heads.k.scalar_type() == type &&
         heads.v.scalar_type() == type && readable(heads.q) && readable(heads.k) && readable(heads.v);
}

// Under autocast float32 is cast to its type, as LibTorch does for scaled_dot_product_attention.
Tensor autocasted(const Tensor& x) {
  const bool casts = x.defined() && x.scalar_type() == at::kFloat;
  return casts ? x.to(autocast_type(x.device()).value_or(at::kFloat)) : x;
}

// Autograd refuses undefined tensors as arguments but knows optional ones.
std::optional<Tensor> if_defined(const Tensor& x) { return x.defined() ? std::optional(x) : std::nullopt; }

// -> [M, H, Dh]
Tensor attend(Sources sources, Merge merge, const HeadShape& shape, AttentionInputs inputs) {
  std::transform(sources.begin(), sources.end(), sources.begin(), autocasted);
  const Heads heads = heads_of(sources, merge, shape);
  inputs.q = heads.q;
  inputs.k = heads.k;
  inputs.v = heads.v;
  check_attention(inputs);
  if (!heads.q.is_cpu()) {
    return attention_on_device(inputs);
  }
  if (!fusible_attention(heads)) {
    return attention_reference(inputs);
  }
  auto call = c10::make_intrusive<AttentionCall>();
  call->merge = merge;
  call->shape = shape;
  call->scale = attention_scale(inputs);
  call->mask = inputs.rule.mask;
  call->reach = reach_of(inputs.rule);
  call->prefix = std::move(inputs.rule.prefix);
  call->queries = std::move(inputs.queries);
  call->keys = std::move(inputs.keys);
  call->dropout = draw_dropout(inputs.rule.dropout);
  const Tensor& bias = inputs.rule.bias;
  return FusedAttention::apply(sources[0],
                               if_defined(sources[1]),
                               if_defined(sources[2]),
                               if_defined(bias.defined() ? bias.to(at::kFloat).contiguous() : bias),
                               call);
}

}  // namespace

Tensor attention(const AttentionInputs& inputs) {
  const HeadShape shape{inputs.q.size(-2), inputs.k.size(-2), inputs.q.size(-1)};
  return attend({inputs.q, inputs.k, inputs.v}, Merge::none, shape, inputs);
}

Tensor self_attention_qkv(const Tensor& qkv,
                          const HeadShape& shape,
                          const Sequences& sequences,
                          const AttentionRule& rule) {
  return attend({qkv, {}, {}}, Merge::qkv, shape, {{}, {}, {}, sequences, sequences, rule}).flatten(1);
}

Tensor cross_attention_kv(const CrossInputs& inputs, const AttentionRule& rule) {
  return attend({inputs.q, inputs.kv, {}},
                Merge::kv,
                inputs.shape,
                {{}, {}, {}, inputs.queries, inputs.keys, rule})
      .flatten(1);
}

}  // namespace lmzoo
