// Chooses an implementation of attention over stored keys.
#include "nn/kernels/attention_stored.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>

#include "core/isa.h"
#include "nn/kernels/attention_device.h"
#include "nn/kernels/attention_problem.h"
#include "nn/kernels/attention_shape.h"
#include "nn/kernels/attention_stored_kernel.h"

namespace lmzoo {
namespace {

StoredKernels best_stored_kernels() { return LMZOO_BEST_ISA(stored_kernels()); }

void require_fit(bool condition, const char* what) {
  if (!condition) {
    throw std::logic_error(std::string("attention over stored keys: ") + what);
  }
}

void check_stored(const Tensor& q,
                  const Sequences& queries,
                  const StoredKeys& stored,
                  const AttentionRule& rule) {
  const Tensor& keys = stored.keys;
  require_fit(q.dim() == 3 && q.size(0) == queries.total() && q.stride(2) == 1,
              "q is not [positions, heads, width]");
  require_fit(keys.dim() == 4 && keys.stride(3) == 1 && keys.sizes() == stored.values.sizes() &&
                  keys.strides() == stored.values.strides(),
              "keys and values are not alike");
  require_fit(keys.size(3) == q.size(2) && q.size(1) % keys.size(1) == 0,
              "heads of queries and keys do not fit");
  require_fit(keys.size(0) >= queries.count() && std::ssize(stored.lengths) == queries.count(),
              "queries and keys are of different sequences");
  const auto [shortest, longest] = std::ranges::minmax(stored.lengths);
  require_fit(shortest >= 1 && longest <= keys.size(2),
              "a sequence has no key, or more than there is room for");
  require_fit(rule.mask != MaskKind::prefix && rule.dropout == 0,
              "a prefix and dropout are for whole sequences");
  const Tensor& bias = rule.bias;
  require_fit(
      !bias.defined() || (bias.dim() == 2 && bias.size(0) == q.size(1) && bias.size(1) / 2 >= longest - 1),
      "the bias is not relative, or too short");
}

bool is_fusible(const Tensor& q, const StoredKeys& stored) {
  const auto type = q.scalar_type();
  return (type == at::kFloat || type == at::kBFloat16) && stored.keys.scalar_type() == type &&
         stored.values.scalar_type() == type;
}

HeadMatrix store_of(const Tensor& stored) { return {stored.data_ptr(), stored.stride(2), stored.stride(1)}; }

Tensor fused_over_stored(const Tensor& q,
                         const Sequences& queries,
                         const StoredKeys& stored,
                         const AttentionRule& rule) {
  const Tensor out = at::empty(q.sizes(), q.options());
  const Tensor lse = at::empty({q.size(0), q.size(1)}, on_cpu(at::kFloat));
  const Tensor bias = rule.bias.defined() ? rule.bias.to(at::kFloat).contiguous() : Tensor();
  std::vector<int64_t> starts;  // [n] in rows of the storage
  for (int64_t s = 0; s < queries.count(); ++s) {
    starts.push_back(s * stored.keys.stride(0) / stored.keys.stride(2));
  }
  AttentionProblem problem;
  problem.q = matrix_of(q);
  problem.k = store_of(stored.keys);
  problem.v = store_of(stored.values);
  problem.out = matrix_of(out);
  problem.lse = lse.mutable_data_ptr<float>();
  problem.query_starts = queries.starts().data();
  problem.key_starts = starts.data();
  problem.key_counts = stored.lengths.data();
  problem.heads = q.size(1);
  problem.key_heads = stored.keys.size(1);
  problem.width = q.size(2);
  problem.longest_keys = std::ranges::max(stored.lengths);
  problem.half = q.scalar_type() == at::kBFloat16;
  problem.causal = rule.mask == MaskKind::causal;
  problem.behind = reach_of(rule).behind;
  problem.ahead = reach_of(rule).ahead;
  problem.scale = static_cast<float>(rule.scale.value_or(1 / std::sqrt(static_cast<double>(q.size(2)))));
  set_bias(problem, bias);
  const StoredKernels kernel = best_stored_kernels();
  for_each_task(
      queries.count() * problem.key_heads, kernel.scratch(problem), [&](int64_t index, float* memory) {
        kernel.forward(problem, index / problem.key_heads, index % problem.key_heads, memory);
      });
  return out;
}

}  // namespace

Tensor attention_over_stored(const Tensor& q,
                             const Sequences& queries,
                             const StoredKeys& stored,
                             const AttentionRule& rule) {
  check_stored(q, queries, stored, rule);
  if (!q.is_cpu()) {
    return attention_over_stored_on_device(q, queries, stored, rule);
  }
  return is_fusible(q, stored) ? fused_over_stored(q, queries, stored, rule)
                               : attention_over_stored_reference(q, queries, stored, rule);
}

Tensor attention_over_stored_reference(const Tensor& q,
                                       const Sequences& queries,
                                       const StoredKeys& stored,
                                       const AttentionRule& rule) {
  const auto packed = [&](const Tensor& rows) {
    std::vector<Tensor> pieces;
    for (int64_t s = 0; s < queries.count(); ++s) {
      pieces.push_back(rows[s].narrow(1, 0, stored.lengths[static_cast<size_t>(s)]).transpose(0, 1));
    }
    return at::cat(pieces);  // [N, Hk, Dh]
  };
  return attention_reference({.q = q,
                              .k = packed(stored.keys),
                              .v = packed(stored.values),
                              .queries = queries,
                              .keys = Sequences(stored.lengths),
                              .rule = rule});
}

}  // namespace lmzoo
