#include "nn/kernels/attention_device.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <ATen/TensorIndexing.h>
#include <ATen/ops/_flash_attention_forward.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/tensor.h>

#include "core/tensor.h"
#include "nn/kernels/attention_shape.h"

namespace lmzoo {
namespace {

bool same_starts(const Sequences& a, const Sequences& b) {
  return std::ranges::equal(a.starts(), b.starts());
}

bool takes_flash(const AttentionInputs& inputs) {
  const auto type = inputs.q.scalar_type();
  const AttentionRule& rule = inputs.rule;
  const bool mask = rule.mask == MaskKind::full ||
                    (rule.mask == MaskKind::causal && same_starts(inputs.queries, inputs.keys));
  return inputs.q.is_cuda() && (type == at::kBFloat16 || type == at::kHalf) && mask && !rule.bias.defined() &&
         inputs.q.size(2) % 8 == 0 && inputs.q.size(2) <= 256;
}

// int32 [n+1] on the inputs' device, whether or not the caller moved the sequences there.
Tensor offsets_on(const Sequences& sequences, const Tensor& like) {
  return sequences.offsets().to(like.device());
}

Tensor flash(const AttentionInputs& inputs) {
  return std::get<0>(at::_flash_attention_forward(inputs.q,
                                                  inputs.k,
                                                  inputs.v,
                                                  offsets_on(inputs.queries, inputs.q),
                                                  offsets_on(inputs.keys, inputs.q),
                                                  inputs.queries.longest(),
                                                  inputs.keys.longest(),
                                                  inputs.rule.dropout,
                                                  inputs.rule.mask == MaskKind::causal,
                                                  /*return_debug_mask=*/false,
                                                  attention_scale(inputs)));
}

// [n, 1, Lq, Lk] bool: what each query sees. Rows of padding see the first key, so that no row is empty.
Tensor visible_mask(const AttentionInputs& inputs) {
  const int64_t count = inputs.queries.count();
  const int64_t longest = inputs.queries.longest();
  std::vector<int64_t> visible(static_cast<size_t>(count * longest), 1);
  for (int64_t s = 0; s < count; ++s) {
    const int64_t queries = inputs.queries.length(s);
    const int64_t keys = inputs.keys.length(s);
    for (int64_t i = 0; i < queries; ++i) {
      visible[s * longest + i] = visible_keys(inputs.rule, s, keys - queries + i, keys);
    }
  }
  const Tensor counts = at::tensor(visible, at::kLong).view({count, 1, longest, 1}).to(inputs.q.device());
  return at::arange(inputs.keys.longest(), counts.options()) < counts;
}

// The bias as [1 or n, H, Lq, Lk]; n only when relative positions differ between sequences.
Tensor full_bias(const AttentionInputs& inputs) {
  const Tensor& bias = inputs.rule.bias;
  const int64_t queries = inputs.queries.longest();
  const int64_t keys = inputs.keys.longest();
  if (bias.dim() == 3) {
    return bias.narrow(1, 0, queries).narrow(2, 0, keys).unsqueeze(0);
  }
  std::vector<int64_t> shifts;  // position of the first query
  for (int64_t s = 0; s < inputs.queries.count(); ++s) {
    shifts.push_back(inputs.keys.length(s) - inputs.queries.length(s));
  }
  if (std::ranges::adjacent_find(shifts, std::ranges::not_equal_to{}) == shifts.end()) {
    shifts.resize(1);
  }
  const Tensor shift = at::tensor(shifts, at::kLong).view({-1, 1, 1});
  const Tensor entry = at::arange(keys).view({1, 1, -1}) - at::arange(queries).view({1, -1, 1}) - shift;
  const Tensor legal = (entry + bias.size(1) / 2).clamp(0, bias.size(1) - 1).to(bias.device());
  return bias.index({at::indexing::Slice(), legal}).transpose(0, 1);
}

// The additive or boolean mask for scaled_dot_product_attention; undefined when `is_causal` or nothing says
// it all.
Tensor mask_of(const AttentionInputs& inputs, bool everything_visible) {
  Tensor bias;
  if (inputs.rule.bias.defined()) {
    bias = full_bias(inputs).to(inputs.q.scalar_type());
  }
  if (everything_visible) {
    return bias;
  }
  const Tensor visible = visible_mask(inputs);
  return bias.defined() ? bias.masked_fill(visible.logical_not(), -std::numeric_limits<double>::infinity())
                        : visible;
}

}  // namespace

Tensor attention_on_device(const AttentionInputs& inputs) {
  const bool uniform = inputs.queries.is_uniform() && inputs.keys.is_uniform();
  if (!uniform && takes_flash(inputs)) {
    return flash(inputs);
  }
  const bool causal = uniform && inputs.rule.mask == MaskKind::causal && !inputs.rule.bias.defined() &&
                      same_starts(inputs.queries, inputs.keys);
  const bool everything_visible = uniform && (causal || inputs.rule.mask == MaskKind::full);
  const Tensor mask = mask_of(inputs, everything_visible);
  const Tensor out =
      at::scaled_dot_product_attention(to_padded(inputs.q, inputs.queries).transpose(1, 2),
                                       to_padded(inputs.k, inputs.keys).transpose(1, 2),
                                       to_padded(inputs.v, inputs.keys).transpose(1, 2),
                                       mask.defined() ? std::optional<Tensor>(mask) : std::nullopt,
                                       inputs.rule.dropout,
                                       causal,
                                       attention_scale(inputs),
                                       inputs.q.size(1) != inputs.k.size(1));
  return to_packed(out.transpose(1, 2), inputs.queries);
}

Tensor attention_over_stored_on_device(const Tensor& q,
                                       const Sequences& queries,
                                       const StoredKeys& stored,
                                       const AttentionRule& rule) {
  const Sequences keys(stored.lengths);
  const AttentionInputs inputs{.q = q, .k = {}, .v = {}, .queries = queries, .keys = keys, .rule = rule};
  const bool everything_visible =
      queries.is_uniform() && keys.is_uniform() && (rule.mask == MaskKind::full || queries.longest() == 1);
  const Tensor mask = mask_of(inputs, everything_visible);
  const auto filled = [&](const Tensor& rows) {  // [n, Hk, longest, Dh]
    return rows.narrow(0, 0, keys.count()).narrow(2, 0, keys.longest());
  };
  const Tensor out =
      at::scaled_dot_product_attention(to_padded(q, queries).transpose(1, 2),
                                       filled(stored.keys),
                                       filled(stored.values),
                                       mask.defined() ? std::optional<Tensor>(mask) : std::nullopt,
                                       /*dropout_p=*/0,
                                       /*is_causal=*/false,
                                       attention_scale(inputs),
                                       q.size(1) != stored.keys.size(1));
  return to_packed(out.transpose(1, 2), queries);
}

}  // namespace lmzoo
