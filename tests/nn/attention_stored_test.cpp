// Attention over keys that are read in place, against packing them for the plain reference.
#include "nn/kernels/attention_stored.h"

#include <ATen/Context.h>
#include <ATen/ops/randn.h>

#include "core/isa.h"
#include "nn/kernels/attention_device.h"
#include "support/catch.h"

using namespace lmzoo;

namespace {

struct StoredCase {
  HeadShape shape;
  std::vector<int64_t> queries, lengths;
  int64_t room;
};

// Random keys with room behind them, which holds what would be seen at once.
StoredKeys stored_of(const StoredCase& c, const at::TensorOptions& options) {
  const auto rows = static_cast<int64_t>(c.lengths.size()) + 1;
  StoredKeys stored{.keys = at::randn({rows, c.shape.key_heads, c.room, c.shape.width}, options),
                    .values = at::randn({rows, c.shape.key_heads, c.room, c.shape.width}, options),
                    .lengths = c.lengths};
  for (size_t i = 0; i < c.lengths.size(); ++i) {
    const auto row = static_cast<int64_t>(i);
    stored.keys[row].slice(1, c.lengths[i]).fill_(100);
    stored.values[row].slice(1, c.lengths[i]).fill_(1e6);
  }
  return stored;
}

double largest_gap(const Tensor& a, const Tensor& b) {
  return (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>();
}

}  // namespace

TEST_CASE("keys in place give what packed keys give, in every instruction set") {
  const at::NoGradGuard no_grad;
  const Isa allowed = GENERATE(Isa::generic, Isa::avx2, Isa::avx512);
  const ScopedIsa only(allowed);
  const auto type = GENERATE(at::kFloat, at::kBFloat16);
  const StoredCase c = GENERATE(StoredCase{{2, 2, 8}, {1, 1}, {5, 1}, 6},
                                StoredCase{{4, 2, 64}, {1, 3, 1}, {70, 33, 1}, 70},
                                StoredCase{{3, 1, 5}, {2, 1}, {2, 40}, 41},
                                StoredCase{{4, 1, 100}, {5}, {300}, 512},
                                StoredCase{{1, 1, 72}, {1}, {1}, 1});
  at::manual_seed(7);
  const at::TensorOptions options = at::TensorOptions().dtype(type);
  const Sequences queries(c.queries);
  const StoredKeys stored = stored_of(c, options);
  // the middle of a wider projection, as queries come
  const Tensor q =
      at::randn({queries.total(), c.shape.heads + 3, c.shape.width}, options).narrow(1, 1, c.shape.heads);
  const int64_t longest = std::ranges::max(c.lengths);
  const Tensor bias = at::randn({c.shape.heads, 2 * longest + 1});
  const double tolerance = type == at::kFloat ? 1e-5 : 3e-2;  // a bfloat16 has 8 bits
  for (const MaskKind mask : {MaskKind::causal, MaskKind::full}) {
    for (const Tensor& added : {Tensor(), bias}) {
      const AttentionRule rule{.mask = mask, .bias = added, .scale = 0.3};
      const Tensor given = attention_over_stored(q, queries, stored, rule);
      CHECK(given.sizes() == q.sizes());
      CHECK(largest_gap(given, attention_over_stored_reference(q, queries, stored, rule)) < tolerance);
    }
  }
}

TEST_CASE("layers over stored keys share one mask on a device, and see what the plain reference sees") {
  const at::NoGradGuard no_grad;
  at::manual_seed(7);
  const StoredCase c{{4, 2, 16}, {1, 3, 1}, {70, 33, 1}, 70};
  const Sequences queries(c.queries);
  const Sequences keys(c.lengths);
  const StoredKeys stored = stored_of(c, {});
  const Tensor q = at::randn({queries.total(), c.shape.heads, c.shape.width});
  const Tensor bias = at::randn({c.shape.heads, 2 * 70 + 1});
  for (const Tensor& added : {Tensor(), bias}) {
    AttentionMasks masks;
    const AttentionRule rule{.mask = MaskKind::causal, .bias = added, .masks = &masks};
    const Tensor expected = attention_over_stored_reference(q, queries, stored, rule);
    const auto gap = [&] {
      return largest_gap(attention_over_stored_on_device(q, queries, stored, rule), expected);
    };
    CHECK(gap() < 1e-5);
    CHECK(gap() < 1e-5);
    // A mask that now shows what lies behind the last keys is the one that the next layer takes.
    masks.mask_of({.q = q, .k = {}, .v = {}, .queries = queries, .keys = keys, .rule = rule}).fill_(0);
    CHECK(gap() > 1);
  }
}

TEST_CASE("what does not fit the stored keys is refused") {
  const StoredCase c{{2, 1, 4}, {1, 1}, {3, 2}, 3};
  const Sequences queries(c.queries);
  const Tensor q = at::randn({2, 2, 4});
  StoredKeys stored = stored_of(c, {});
  const auto attend = [&](const AttentionRule& rule) { attention_over_stored(q, queries, stored, rule); };
  CHECK_THROWS_AS(attend({.mask = MaskKind::prefix, .prefix = {1, 1}}), std::logic_error);
  CHECK_THROWS_AS(attend({.dropout = 0.1}), std::logic_error);
  CHECK_THROWS_AS(attend({.bias = at::randn({2, 3})}), std::logic_error);  // for two keys
  const std::vector<int64_t> beyond{4, 2};
  stored.lengths = beyond;
  CHECK_THROWS_AS(attend({}), std::logic_error);
}
