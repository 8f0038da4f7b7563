#include "nn/kernels/attention_device.h"

#include <algorithm>
#include <limits>

#include <ATen/ops/_flash_attention_forward.h>
#include <ATen/ops/_fused_sdp_choice.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include "nn/kernels/attention_shape.h"

namespace lmzoo {
namespace {

// Rows of masks begin at multiples of so many numbers, or the memory-efficient kernel copies them (pad_bias).
constexpr int64_t kMaskMultiple = 16;

int64_t rounded_up(int64_t x, int64_t multiple) { return (x + multiple - 1) / multiple * multiple; }

bool is_half(at::ScalarType type) { return type == at::kBFloat16 || type == at::kHalf; }

DeviceCall call_of(const AttentionInputs& inputs) {
  const auto& [q, k, v, queries, keys, rule] = inputs;
  return {.type = q.scalar_type(),
          .head_width = q.size(2),
          .mask = rule.mask,
          .has_window = rule.window.has_value(),
          .has_bias = rule.bias.defined(),
          .is_uniform = queries.is_uniform() && keys.is_uniform(),
          .is_aligned = std::ranges::equal(queries.starts(), keys.starts())};
}

// Zeros change no score, and their columns of the output are cut off.
Tensor widened(const Tensor& heads) {
  const int64_t missing = rounded_up(heads.size(2), kDeviceHeadMultiple) - heads.size(2);
  return missing == 0 ? heads : at::constant_pad_nd(heads, {0, missing});
}

// int32 [n+1] on the inputs' device, whether or not the caller moved the sequences there.
Tensor offsets_on(const Sequences& sequences, const Tensor& like) {
  return sequences.offsets().to(like.device(), /*non_blocking=*/true);
}

// Of this GPU's flash kernel, which older ones lack.
bool has_flash(const AttentionInputs& in) {
  if (!in.q.is_cuda()) {
    return false;
  }
  const auto batch = [](const Tensor& x) { return widened(x).unsqueeze(0).transpose(1, 2); };
  constexpr int64_t kFlash = 1;  // at::SDPBackend::flash_attention
  return at::_fused_sdp_choice(batch(in.q), batch(in.q), batch(in.q), {}, in.rule.dropout) == kFlash;
}

Tensor flash_packed(const AttentionInputs& in) {
  const Reach reach = reach_of(in.rule);
  const auto side = [&](int64_t positions) {
    return in.rule.window ? std::optional(positions) : std::nullopt;
  };
  return std::get<0>(at::_flash_attention_forward(widened(in.q),
                                                  widened(in.k),
                                                  widened(in.v),
                                                  offsets_on(in.queries, in.q),
                                                  offsets_on(in.keys, in.q),
                                                  in.queries.longest(),
                                                  in.keys.longest(),
                                                  in.rule.dropout,
                                                  in.rule.mask == MaskKind::causal,
                                                  /*return_debug_mask=*/false,
                                                  attention_scale(in),
                                                  side(reach.behind),
                                                  side(reach.ahead)))
      .narrow(2, 0, in.q.size(2));
}

// Lengths as [n, 1, 1, 1] int64.
Tensor lengths_on(const Sequences& sequences, const Tensor& like) {
  const Tensor offsets = offsets_on(sequences, like).to(at::kLong);
  const int64_t count = sequences.count();
  return (offsets.narrow(0, 1, count) - offsets.narrow(0, 0, count)).view({count, 1, 1, 1});
}

// Where queries and keys stand, as the masks of padded sequences need it. Nothing waits for the device.
struct Places {
  Tensor queries;                     // [1, 1, Lq, 1]
  Tensor keys;                        // [1, 1, 1, Lk], rounded up to kMaskMultiple
  Tensor query_lengths, key_lengths;  // [n, 1, 1, 1]
  Tensor positions;                   // [n, 1, Lq, 1] of queries, in the coordinates of the keys
};

Places places_of(const AttentionInputs& in) {
  const auto options = at::TensorOptions(at::kLong).device(in.q.device());
  Places p;
  p.queries = at::arange(in.queries.longest(), options).view({1, 1, -1, 1});
  p.keys = at::arange(rounded_up(in.keys.longest(), kMaskMultiple), options).view({1, 1, 1, -1});
  p.query_lengths = lengths_on(in.queries, in.q);
  p.key_lengths = lengths_on(in.keys, in.q);
  p.positions = p.queries + (p.key_lengths - p.query_lengths);
  return p;
}

// [n, 1, Lq, Lk] bool. Rows of padding see the first key, so that no row is empty.
Tensor visible_keys_of(const AttentionInputs& in, const Places& p) {
  const Reach reach = reach_of(in.rule);
  Tensor visible = p.keys < p.key_lengths;
  if (in.rule.mask != MaskKind::full) {
    Tensor end = p.positions + 1;
    if (in.rule.mask == MaskKind::prefix) {
      const Tensor prefix = at::tensor(in.rule.prefix, at::kLong).to(in.q.device(), /*non_blocking=*/true);
      end = at::maximum(end, prefix.view({-1, 1, 1, 1}));
    }
    visible = visible.logical_and(p.keys < end);
  }
  if (in.rule.window) {
    visible = visible.logical_and(p.keys >= p.positions - reach.behind)
                  .logical_and(p.keys <= p.positions + reach.ahead);
  }
  const Tensor padding = (p.queries >= p.query_lengths).logical_and(p.keys == 0);
  return visible.logical_and(p.queries < p.query_lengths).logical_or(padding);
}

// The bias as [1 or n, H, Lq, Lk]; n only when relative positions differ between sequences.
Tensor full_bias(const AttentionInputs& in, const Places& p) {
  const Tensor& bias = in.rule.bias;
  if (bias.dim() == 3) {
    const Tensor seen = bias.narrow(1, 0, in.queries.longest()).narrow(2, 0, in.keys.longest());
    return at::constant_pad_nd(seen, {0, p.keys.size(3) - in.keys.longest()}).unsqueeze(0);
  }
  const auto shift = [&](int64_t s) { return in.keys.length(s) - in.queries.length(s); };
  bool alike = true;
  for (int64_t s = 1; s < in.queries.count(); ++s) {
    alike &= shift(s) == shift(0);
  }
  const Tensor positions = alike ? p.queries + shift(0) : p.positions;
  const Tensor entry = (p.keys - positions + bias.size(1) / 2).clamp(0, bias.size(1) - 1);
  return bias
      .index_select(1, entry.flatten())  // [H, n Lq Lk]
      .view({bias.size(0), entry.size(0), entry.size(2), entry.size(3)})
      .transpose(0, 1);
}

// Undefined when `is_causal` or nothing says it all.
Tensor additive_mask(const AttentionInputs& in) {
  const DeviceCall call = call_of(in);
  const bool causal_alone = call.mask == MaskKind::causal && call.is_aligned && !call.has_bias;
  const bool shows_all = call.is_uniform && !call.has_window && (call.mask == MaskKind::full || causal_alone);
  if (shows_all && !call.has_bias) {
    return {};
  }
  const Places places = places_of(in);
  Tensor mask;
  if (call.has_bias) {
    mask = full_bias(in, places).to(call.type);
  }
  if (!shows_all) {
    const double lowest = -std::numeric_limits<double>::infinity();
    const Tensor hidden = visible_keys_of(in, places).logical_not();
    const Tensor base = mask.defined() ? mask : at::zeros({}, in.q.options());
    mask = base.masked_fill(hidden, lowest);
  }
  return mask.narrow(3, 0, in.keys.longest());
}

Tensor shared_mask(const AttentionInputs& in) {
  AttentionMasks own;
  return (in.rule.masks != nullptr ? in.rule.masks : &own)->mask_of(in);
}

Tensor padded_attention(const AttentionInputs& in) {
  const int64_t group = in.q.size(1) / in.k.size(1);
  const Tensor mask = shared_mask(in);
  // Of the fused kernels only flash knows grouped heads.
  const bool repeats = group > 1 && !(device_kernel(call_of(in)) == DeviceKernel::flash && has_flash(in));
  const auto batch = [&](const Tensor& heads, const Sequences& sequences) {
    return to_padded(widened(heads), sequences).transpose(1, 2);  // [n, H, L, Dh]
  };
  const auto keys = [&](const Tensor& heads) {
    return batch(repeats ? heads.repeat_interleave(group, 1) : heads, in.keys);
  };
  const bool causal = !mask.defined() && in.rule.mask == MaskKind::causal;
  const Tensor out = at::scaled_dot_product_attention(batch(in.q, in.queries),
                                                      keys(in.k),
                                                      keys(in.v),
                                                      mask.defined() ? std::optional(mask) : std::nullopt,
                                                      in.rule.dropout,
                                                      causal,
                                                      attention_scale(in),
                                                      /*enable_gqa=*/group > 1 && !repeats);
  return to_packed(out.transpose(1, 2), in.queries).narrow(2, 0, in.q.size(2));
}

}  // namespace

DeviceKernel device_kernel(const DeviceCall& call) {
  if (call.type == at::kDouble) {
    return DeviceKernel::plain;
  }
  constexpr int64_t kWidest = 256;
  const bool mask = call.mask == MaskKind::full || (call.mask == MaskKind::causal && call.is_aligned);
  if (!is_half(call.type) || !mask || call.has_bias || call.head_width > kWidest) {
    return DeviceKernel::efficient;
  }
  return call.is_uniform && !call.has_window ? DeviceKernel::flash : DeviceKernel::flash_packed;
}

Tensor AttentionMasks::mask_of(const AttentionInputs& inputs) {
  const AttentionRule& rule = inputs.rule;
  const auto type = inputs.q.scalar_type();
  for (const Entry& entry : entries_) {
    if (entry.mask == rule.mask && entry.window == rule.window && entry.bias.is_same(rule.bias) &&
        entry.type == type) {
      return entry.value;
    }
  }
  entries_.push_back({rule.mask, rule.window, rule.bias, type, additive_mask(inputs)});
  return entries_.back().value;
}

Tensor attention_on_device(const AttentionInputs& inputs) {
  const bool packed = device_kernel(call_of(inputs)) == DeviceKernel::flash_packed && has_flash(inputs);
  return packed ? flash_packed(inputs) : padded_attention(inputs);
}

Tensor attention_over_stored_on_device(const Tensor& q,
                                       const Sequences& queries,
                                       const StoredKeys& stored,
                                       const AttentionRule& rule) {
  const Sequences keys(stored.lengths);
  const AttentionInputs inputs{.q = q, .k = {}, .v = {}, .queries = queries, .keys = keys, .rule = rule};
  const Tensor mask = shared_mask(inputs);
  const bool causal = !mask.defined() && rule.mask == MaskKind::causal && queries.longest() > 1;
  const auto filled = [&](const Tensor& rows) {  // [n, Hk, longest, Dh]
    return rows.narrow(0, 0, keys.count()).narrow(2, 0, keys.longest());
  };
  const Tensor out =
      at::scaled_dot_product_attention(to_padded(q, queries).transpose(1, 2),
                                       filled(stored.keys),
                                       filled(stored.values),
                                       mask.defined() ? std::optional<Tensor>(mask) : std::nullopt,
                                       /*dropout_p=*/0,
                                       causal,
                                       attention_scale(inputs),
                                       q.size(1) != stored.keys.size(1));
  return to_packed(out.transpose(1, 2), queries);
}

}  // namespace lmzoo
