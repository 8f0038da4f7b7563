// Attention by plain operators, one sequence after the other.
#include <algorithm>
#include <cmath>
#include <vector>

#include <ATen/TensorIndexing.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/zeros.h>

#include "core/tensor.h"
#include "nn/kernels/attention.h"
#include "nn/kernels/attention_shape.h"
#include "nn/kernels/dropout.h"

namespace lmzoo {
namespace {

// [Lq, Lk] bool: true where query i must not see key j.
Tensor hidden_keys(const AttentionInputs& inputs, int64_t sequence) {
  const int64_t queries = inputs.queries.length(sequence);
  const int64_t keys = inputs.keys.length(sequence);
  Tensor hidden = at::ones({queries, keys}, on_cpu(at::kBool));
  for (int64_t i = 0; i < queries; ++i) {
    const KeyRange range = visible_keys(inputs.rule, sequence, i + keys - queries, keys);
    hidden[i].slice(0, range.first, range.end).fill_(false);
  }
  return hidden.to(inputs.q.device());
}

// The bias of one sequence: [H, Lq, Lk].
Tensor bias_of(const AttentionInputs& inputs, int64_t sequence) {
  using at::indexing::Slice;
  const Tensor& bias = inputs.rule.bias;
  const int64_t queries = inputs.queries.length(sequence);
  const int64_t keys = inputs.keys.length(sequence);
  if (bias.dim() == 3) {
    return bias.index({Slice(), Slice(0, queries), Slice(0, keys)});
  }
  const int64_t middle = bias.size(1) / 2;
  const Tensor position = at::arange(keys - queries, keys).unsqueeze(1);
  const Tensor entry = (at::arange(keys).unsqueeze(0) - position + middle).to(bias.device());
  return bias.index({Slice(), entry});
}

// Softmax over visible keys; all zeros for a query that sees none. [H, Lq, Lk]
Tensor probabilities_of(const AttentionInputs& inputs, int64_t sequence, const Tensor& q, const Tensor& k) {
  Tensor scores = at::matmul(q, k.transpose(1, 2)) * attention_scale(inputs);
  if (inputs.rule.bias.defined()) {
    scores = scores + bias_of(inputs, sequence).to(scores.scalar_type());
  }
  if (inputs.rule.mask == MaskKind::full && !inputs.rule.window) {
    return at::softmax(scores, -1);
  }
  const Tensor hidden = hidden_keys(inputs, sequence);
  const double lowest = -1e30;  // not -inf: a row of -inf alone would be NaN, in its gradient too
  return at::softmax(scores.masked_fill(hidden, lowest), -1).masked_fill(hidden, 0);
}

// Heads of one sequence, in at least float32, key heads repeated for their query heads. [H, L, Dh]
Tensor heads_of_sequence(const Tensor& packed, const Sequences& sequences, int64_t sequence, int64_t heads) {
  const Tensor rows = packed.narrow(0, sequences.start(sequence), sequences.length(sequence)).transpose(0, 1);
  const Tensor wide = packed.scalar_type() == at::kDouble ? rows : rows.to(at::kFloat);
  return wide.repeat_interleave(heads / packed.size(1), 0);
}

}  // namespace

Tensor attention_reference(const AttentionInputs& inputs) {
  check_attention(inputs);
  const int64_t heads = inputs.q.size(1);
  const DropoutMask mask = draw_dropout(inputs.rule.dropout);
  Tensor factors;  // [M, H, longest Lk]
  if (mask.threshold > 0) {
    factors = dropout_factors(mask, inputs.q.size(0) * heads, inputs.keys.longest())
                  .view({inputs.q.size(0), heads, inputs.keys.longest()})
                  .to(inputs.q.device());
  }
  std::vector<Tensor> outputs;
  for (int64_t s = 0; s < inputs.queries.count(); ++s) {
    const Tensor q = heads_of_sequence(inputs.q, inputs.queries, s, heads);
    const Tensor k = heads_of_sequence(inputs.k, inputs.keys, s, heads);
    const Tensor v = heads_of_sequence(inputs.v, inputs.keys, s, heads);
    Tensor probabilities = probabilities_of(inputs, s, q, k);
    if (factors.defined()) {
      const Tensor own = factors.narrow(0, inputs.queries.start(s), inputs.queries.length(s)).transpose(0, 1);
      probabilities = probabilities * own.narrow(2, 0, inputs.keys.length(s));
    }
    outputs.push_back(at::matmul(probabilities, v).transpose(0, 1));
  }
  return at::cat(outputs).to(inputs.q.scalar_type());
}

Tensor attention_probabilities(const AttentionInputs& inputs) {
  check_attention(inputs);
  const at::NoGradGuard no_grad;
  const int64_t heads = inputs.q.size(1);
  Tensor all = at::zeros({inputs.queries.count(), heads, inputs.queries.longest(), inputs.keys.longest()},
                         inputs.q.options().dtype(at::kFloat));
  for (int64_t s = 0; s < inputs.queries.count(); ++s) {
    const Tensor q = heads_of_sequence(inputs.q, inputs.queries, s, heads);
    const Tensor k = heads_of_sequence(inputs.k, inputs.keys, s, heads);
    all[s].narrow(1, 0, q.size(1)).narrow(2, 0, k.size(1)).copy_(probabilities_of(inputs, s, q, k));
  }
  return all;
}

}  // namespace lmzoo
