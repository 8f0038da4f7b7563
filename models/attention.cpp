#include "models/attention.h"

#include <ATen/ops/cat.h>

namespace lmzoo {
namespace {

// Appends the new rows [n·t, Hk, Dh] to what the cache has: [n, T+t, Hk, Dh].
Tensor extended(const Tensor& before, const Tensor& rows, int64_t sequences) {
  const Tensor fresh = rows.reshape({sequences, -1, rows.size(1), rows.size(2)});
  return before.defined() ? at::cat({before, fresh}, 1) : fresh;
}

void record(Trace* trace, const AttentionInputs& inputs) {
  if (trace != nullptr && trace->want_attention) {
    trace->attention.push_back(attention_probabilities(inputs));
  }
}

}  // namespace

SelfAttention::SelfAttention(const AttentionOptions& options) : options_(options) {
  const HeadShape& s = options.shape;
  qkv = register_module("qkv",
                        std::make_shared<Linear>(LinearOptions{
                            options.width, (s.heads + 2 * s.key_heads) * s.width, options.bias}));
  out = register_module(
      "out", std::make_shared<Linear>(LinearOptions{s.heads * s.width, options.width, options.bias}));
}

AttentionRule SelfAttention::rule(const SelfView& view) const {
  return {.mask = view.mask,
          .prefix = view.prefix,
          .bias = view.bias,
          .scale = options_.scale,
          .dropout = is_training() ? options_.dropout : 0};
}

Tensor SelfAttention::forward(const Tensor& x, const SelfView& view) const {
  const HeadShape& s = options_.shape;
  Tensor merged = qkv->forward(x);  // [N, (H + 2 Hk) Dh]
  if (view.angles) {
    const Tensor heads = merged.view({x.size(0), s.heads + 2 * s.key_heads, s.width});
    merged = rotate(heads, s.heads + s.key_heads, *view.angles, view.layout).flatten(1);
  }
  const bool plain = view.cache == nullptr && view.trace == nullptr;
  const Tensor mixed = plain ? self_attention_qkv(merged, s, view.sequences, rule(view))
                             : piecewise(merged, view);  // [N, H Dh]
  return out->without_bias(mixed);
}

Tensor SelfAttention::piecewise(const Tensor& merged, const SelfView& view) const {
  const HeadShape& s = options_.shape;
  const std::vector<Tensor> parts =
      merged.view({merged.size(0), -1, s.width}).split_with_sizes({s.heads, s.key_heads, s.key_heads}, 1);
  AttentionInputs inputs{.q = parts[0],
                         .k = parts[1],
                         .v = parts[2],
                         .queries = view.sequences,
                         .keys = view.sequences,
                         .rule = rule(view)};
  if (view.cache != nullptr) {
    const int64_t n = view.sequences.count();
    view.cache->keys = extended(view.cache->keys, inputs.k, n);
    view.cache->values = extended(view.cache->values, inputs.v, n);
    inputs.k = view.cache->keys.flatten(0, 1);
    inputs.v = view.cache->values.flatten(0, 1);
    inputs.keys = Sequences::uniform(n, view.cache->keys.size(1)).to(merged.device());
  }
  record(view.trace, inputs);
  return attention(inputs).flatten(1);
}

CrossAttention::CrossAttention(const AttentionOptions& options) : options_(options) {
  const HeadShape& s = options.shape;
  q = register_module(
      "q", std::make_shared<Linear>(LinearOptions{options.width, s.heads * s.width, options.bias}));
  kv = register_module(
      "kv", std::make_shared<Linear>(LinearOptions{options.width, 2 * s.key_heads * s.width, options.bias}));
  out = register_module(
      "out", std::make_shared<Linear>(LinearOptions{s.heads * s.width, options.width, options.bias}));
}

Tensor CrossAttention::forward(const Tensor& x, const CrossView& view) const {
  const HeadShape& s = options_.shape;
  const AttentionRule rule{.scale = options_.scale, .dropout = is_training() ? options_.dropout : 0};
  const Tensor queries = q->forward(x);  // [M, H Dh]
  if (view.cache == nullptr && view.trace == nullptr) {
    const Tensor keys_values = kv->forward(view.memory);  // [N, 2 Hk Dh]
    return out->without_bias(cross_attention_kv(
        {.q = queries, .kv = keys_values, .shape = s, .queries = view.targets, .keys = view.sources}, rule));
  }
  LayerCache once;
  LayerCache& cache = view.cache != nullptr ? *view.cache : once;
  if (!cache.cross_keys.defined()) {
    const std::vector<Tensor> parts =
        kv->forward(view.memory).view({-1, 2 * s.key_heads, s.width}).chunk(2, 1);
    cache.cross_keys = parts[0];
    cache.cross_values = parts[1];
  }
  const AttentionInputs inputs{.q = queries.view({-1, s.heads, s.width}),
                               .k = cache.cross_keys,
                               .v = cache.cross_values,
                               .queries = view.targets,
                               .keys = view.sources,
                               .rule = rule};
  record(view.trace, inputs);
  return out->without_bias(attention(inputs).flatten(1));
}

}  // namespace lmzoo
