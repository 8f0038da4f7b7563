#include "nn/attention.h"

#include <ATen/ops/cat.h>

#include "base/check.h"

namespace lmzoo {
namespace {

// `parts`: what was merged, in the order of the rows; empty: nothing was.
std::shared_ptr<Linear> linear(int64_t inputs, int64_t outputs, bool bias, std::vector<RowPart> parts = {}) {
  return std::make_shared<Linear>(LinearOptions{inputs, outputs, bias, std::move(parts)});
}

}  // namespace

HeadShape head_shape(const HeadCounts& counts) {
  check(counts.head_width || counts.width % counts.heads == 0,
        "width is {} but must be a multiple of heads = {}",
        counts.width,
        counts.heads);
  const int64_t key_heads = counts.kv_heads.value_or(counts.heads);
  check(counts.heads % key_heads == 0,
        "heads is {} but must be a multiple of kv_heads = {}",
        counts.heads,
        key_heads);
  return {counts.heads, key_heads, counts.head_width.value_or(counts.width / counts.heads)};
}

SelfAttention::SelfAttention(const AttentionOptions& options) : options_(options) {
  const auto& [heads, key_heads, head_width] = options.shape;
  const int64_t queries = heads * head_width, keys = key_heads * head_width;
  qkv = register_module(
      "qkv",
      linear(options.width, queries + 2 * keys, options.bias, {{"q", queries}, {"k", keys}, {"v", keys}}));
  out = register_module("out", linear(queries, options.width, options.out_bias.value_or(options.bias)));
  if (options.qk_norm) {
    const NormOptions norm{.kind = NormKind::rms,
                           .width = head_width,
                           .eps = options.qk_norm->eps,
                           .weights = options.qk_norm->weights};
    query_norm = register_module("query_norm", std::make_shared<Norm>(norm));
    key_norm = register_module("key_norm", std::make_shared<Norm>(norm));
  }
}

AttentionRule SelfAttention::rule(const SelfView& view) const {
  return {.mask = options_.mask.value_or(view.mask),
          .prefix = view.prefix,
          .window = options_.window,
          .bias = view.bias,
          .scale = options_.scale,
          .dropout = is_training() ? options_.dropout : 0,
          .masks = view.masks};
}

// Null when this layer turns nothing.
const Rotation* SelfAttention::rotation(const SelfView& view) const {
  if (!options_.rotation || view.rotations.empty()) {
    return nullptr;
  }
  const Rotation& chosen = view.rotations.at(*options_.rotation);
  return chosen.angles.cos.defined() ? &chosen : nullptr;
}

Branch SelfAttention::forward(const Tensor& x, const SelfView& view) const {
  if (view.choice == nullptr) {
    return out->branch(mixed(x, view));
  }
  const AttentionRule seen = rule(view);
  const bool all_alike =
      seen.mask == MaskKind::full && !seen.window && !seen.bias.defined() && qkv->adapters.empty();
  return out->branch(all_alike ? chosen(x, view) : mixed(x, view).index_select(0, view.choice->rows));
}

// Queries and keys of a projection normed and turned, values as they are: [R, heads Dh] -> [R, heads Dh]
Tensor SelfAttention::heads(const Tensor& x, const HeadRun& run, const Rotation* rotation) const {
  if (query_norm == nullptr && rotation == nullptr) {
    return x;
  }
  Tensor all = x.view({x.size(0), -1, options_.shape.width});  // [R, heads, Dh]
  if (query_norm != nullptr) {
    const int64_t values = all.size(1) - run.queries - run.keys;
    const std::vector<Tensor> parts = all.split_with_sizes({run.queries, run.keys, values}, 1);
    all = at::cat({query_norm->forward(parts[0]), key_norm->forward(parts[1]), parts[2]}, 1);
  }
  if (rotation != nullptr) {
    all = rotate(all, run.queries + run.keys, rotation->angles, rotation->layout);
  }
  return all.flatten(1);
}

// [N, D] -> [N, H Dh]
Tensor SelfAttention::mixed(const Tensor& x, const SelfView& view) const {
  const HeadShape& s = options_.shape;
  const Tensor merged = heads(qkv->forward(x), {s.heads, s.key_heads}, rotation(view));  // [N, (H + 2 Hk) Dh]
  if (view.append != nullptr) {
    return appended(merged, view);
  }
  if (view.trace != nullptr && view.trace->want_attention) {
    record(merged, view);
  }
  return self_attention_qkv(merged, s, view.sequences, rule(view));
}

// Queries of chosen rows only, which see the same whichever position they have: [N, D] -> [K', H Dh]
Tensor SelfAttention::chosen(const Tensor& x, const SelfView& view) const {
  const HeadShape& s = options_.shape;
  const Tensor& rows = view.choice->rows;
  const int64_t queries = s.heads * s.width;
  Tensor q = qkv->forward_part(x.index_select(0, rows), 0, queries);     // [K', H Dh]
  Tensor kv = qkv->forward_part(x, queries, 2 * s.key_heads * s.width);  // [N, 2 Hk Dh]
  if (const Rotation* all = rotation(view)) {
    const RotaryAngles& angles = all->angles;
    const Rotation own{{angles.cos.index_select(0, rows), angles.sin.index_select(0, rows)}, all->layout};
    q = heads(q, {.queries = s.heads}, &own);
    kv = heads(kv, {.keys = s.key_heads}, all);
  } else {
    q = heads(q, {.queries = s.heads}, nullptr);
    kv = heads(kv, {.keys = s.key_heads}, nullptr);
  }
  return cross_attention_kv(
      {.q = q, .kv = kv, .shape = s, .queries = view.choice->sequences, .keys = view.sequences}, rule(view));
}

// Queries, keys and values [N, heads, Dh] of a merged projection.
std::vector<Tensor> SelfAttention::parts_of(const Tensor& merged) const {
  const HeadShape& s = options_.shape;
  return merged.view({merged.size(0), -1, s.width}).split_with_sizes({s.heads, s.key_heads, s.key_heads}, 1);
}

void SelfAttention::record(const Tensor& merged, const SelfView& view) const {
  const std::vector<Tensor> parts = parts_of(merged);
  view.trace->attention.push_back(attention_probabilities({.q = parts[0],
                                                           .k = parts[1],
                                                           .v = parts[2],
                                                           .queries = view.sequences,
                                                           .keys = view.sequences,
                                                           .rule = rule(view)}));
}

// New positions over all that the state has by then: [M, (H + 2 Hk) Dh] -> [M, H Dh]
Tensor SelfAttention::appended(const Tensor& merged, const SelfView& view) const {
  const LayerAppend& append = *view.append;
  const std::vector<Tensor> parts = parts_of(merged);
  append.own.write(append.step, append.capacity, parts[1], parts[2]);
  if (append.step.is_first) {
    return self_attention_qkv(merged, options_.shape, view.sequences, rule(view));
  }
  const StoredKeys stored{append.own.keys, append.own.values, append.step.lengths};
  return attention_over_stored(parts[0], view.sequences, stored, rule(view)).flatten(1);
}

CrossAttention::CrossAttention(const AttentionOptions& options) : options_(options) {
  const auto& [heads, key_heads, head_width] = options.shape;
  q = register_module("q", linear(options.width, heads * head_width, options.bias));
  const int64_t keys = key_heads * head_width;
  kv = register_module("kv", linear(options.width, 2 * keys, options.bias, {{"k", keys}, {"v", keys}}));
  const bool out_bias = options.out_bias.value_or(options.bias);
  out = register_module("out", linear(heads * head_width, options.width, out_bias));
}

AttentionRule CrossAttention::rule() const {
  return {.scale = options_.scale, .dropout = is_training() ? options_.dropout : 0};
}

Branch CrossAttention::forward(const Tensor& x, const CrossView& view) const {
  const Tensor queries = q->forward(x);                 // [M, H Dh]
  const Tensor keys_values = kv->forward(view.memory);  // [N, 2 Hk Dh]
  AttentionRule masked = rule();
  masked.masks = view.masks;
  return out->branch(cross_attention_kv({.q = queries,
                                         .kv = keys_values,
                                         .shape = options_.shape,
                                         .queries = view.targets,
                                         .keys = view.sources},
                                        masked));
}

SourceKeys CrossAttention::keys_of(const Tensor& memory, const Sequences& sources) const {
  const HeadShape& s = options_.shape;
  const Tensor rows = kv->forward(memory).view({-1, 2 * s.key_heads, s.width});  // [N, 2 Hk, Dh]
  const Tensor heads = to_padded(rows, sources).transpose(1, 2).contiguous();    // [n, 2 Hk, S, Dh]
  return {heads.narrow(1, 0, s.key_heads), heads.narrow(1, s.key_heads, s.key_heads)};
}

Branch CrossAttention::append(const Tensor& x, const LayerAppend& append) const {
  const Tensor queries = q->forward(x).view({x.size(0), -1, options_.shape.width});  // [M, H, Dh]
  AttentionRule masked = rule();
  masked.masks = append.source_masks;
  return out->branch(attention_over_stored(queries, append.step.added, append.sources, masked).flatten(1));
}

}  // namespace lmzoo
