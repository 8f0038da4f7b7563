#include "nn/kernels/attention_shape.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "base/check.h"

namespace lmzoo {
namespace {

template <class... Arguments>
void require(bool condition, fmt::format_string<Arguments...> message, Arguments&&... arguments) {
  if (!condition) {
    throw std::logic_error("attention: " + fmt::format(message, std::forward<Arguments>(arguments)...));
  }
}

void check_bias(const AttentionInputs& inputs) {
  const Tensor& bias = inputs.rule.bias;
  const int64_t heads = inputs.q.size(1);
  const bool dense = bias.dim() == 3 && bias.size(0) == heads && bias.size(1) >= inputs.queries.longest() &&
                     bias.size(2) >= inputs.keys.longest();
  const bool relative = bias.dim() == 2 && bias.size(0) == heads && bias.size(1) % 2 == 1 &&
                        bias.size(1) / 2 + 1 >= inputs.keys.longest();
  require(dense || relative,
          "bias {} is neither [{}, {}, {}] nor [{}, at least {} and odd]",
          c10::str(bias.sizes()),
          heads,
          inputs.queries.longest(),
          inputs.keys.longest(),
          heads,
          2 * inputs.keys.longest() - 1);
  if (relative) {
    for (int64_t s = 0; s < inputs.queries.count(); ++s) {
      require(inputs.queries.length(s) <= inputs.keys.length(s),
              "a relative bias needs at least as many keys ({}) as queries ({})",
              inputs.keys.length(s),
              inputs.queries.length(s));
    }
  }
}

}  // namespace

void check_attention(const AttentionInputs& inputs) {
  const auto& [q, k, v, queries, keys, rule] = inputs;
  require(q.dim() == 3 && k.dim() == 3 && v.dim() == 3,
          "q, k, v are {}, {}, {} but must be [positions, heads, head width]",
          c10::str(q.sizes()),
          c10::str(k.sizes()),
          c10::str(v.sizes()));
  require(q.size(0) == queries.total() && k.size(0) == keys.total() && v.sizes() == k.sizes(),
          "q {}, k {}, v {} do not have {} and {} positions",
          c10::str(q.sizes()),
          c10::str(k.sizes()),
          c10::str(v.sizes()),
          queries.total(),
          keys.total());
  require(
      queries.count() == keys.count(), "{} sequences of queries, {} of keys", queries.count(), keys.count());
  require(q.size(2) == k.size(2) && q.size(1) % k.size(1) == 0,
          "heads of q {} and k {} do not fit",
          c10::str(q.sizes()),
          c10::str(k.sizes()));
  require(rule.mask != MaskKind::prefix || static_cast<int64_t>(rule.prefix.size()) == queries.count(),
          "{} prefixes for {} sequences",
          rule.prefix.size(),
          queries.count());
  require(!rule.window || *rule.window >= 1, "a window of {} keys", rule.window.value_or(0));
  if (rule.bias.defined()) {
    check_bias(inputs);
  }
}

double attention_scale(const AttentionInputs& inputs) {
  return inputs.rule.scale.value_or(1 / std::sqrt(static_cast<double>(inputs.q.size(2))));
}

Reach reach_of(const AttentionRule& rule) {
  if (!rule.window) {
    return {kNoWindow, kNoWindow};
  }
  switch (rule.mask) {
    case MaskKind::full:
      return {*rule.window / 2, *rule.window / 2};
    case MaskKind::causal:
      return {*rule.window - 1, 0};
    case MaskKind::prefix:
      break;
  }
  return {*rule.window - 1, *rule.window - 1};
}

KeyRange visible_keys(const AttentionRule& rule, int64_t sequence, int64_t position, int64_t keys) {
  const Reach reach = reach_of(rule);
  const int64_t prefix = rule.mask == MaskKind::prefix ? rule.prefix[sequence] : 0;
  const int64_t shown = rule.mask == MaskKind::full ? keys : std::max(position + 1, prefix);
  const int64_t first = std::max<int64_t>(position - reach.behind, 0);
  return {first, std::max(first, std::min({shown, position + reach.ahead + 1, keys}))};
}

}  // namespace lmzoo
