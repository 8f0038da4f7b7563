#include "nn/linear_cross_entropy.h"

#include <cmath>
#include <limits>

#include <ATen/Context.h>
#include <ATen/autocast_mode.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include "core/isa.h"
#include "support/catch.h"

using namespace lmzoo;

namespace {

struct Result {
  double loss = 0;
  double correct = 0;
  std::vector<Tensor> gradients;
};

using Function = CrossEntropy (*)(const Projection&, const RowLabels&, const EntropyTerms&);

// The loss scaled by 1/3, as a trainer divides a sum by a count.
Result run(Function function,
           const Projection& projection,
           const RowLabels& labels,
           const EntropyTerms& terms) {
  std::vector<Tensor> leaves{projection.rows, projection.weight};
  if (projection.bias.defined()) {
    leaves.push_back(projection.bias);
  }
  for (Tensor& leaf : leaves) {
    leaf.mutable_grad() = Tensor();
  }
  const CrossEntropy entropy = function(projection, labels, terms);
  (entropy.sum / 3).backward();
  Result result{entropy.sum.item<double>(), entropy.correct.item<double>(), {}};
  for (const Tensor& leaf : leaves) {
    result.gradients.push_back(leaf.grad().clone());
  }
  return result;
}

void require_same(const Result& actual, const Result& expected, double tolerance) {
  CHECK(actual.loss == Approx(expected.loss).epsilon(tolerance));
  REQUIRE(actual.gradients.size() == expected.gradients.size());
  for (size_t i = 0; i < actual.gradients.size(); ++i) {
    INFO("gradient " << i);
    CHECK(actual.gradients[i].scalar_type() == expected.gradients[i].scalar_type());
    const double scale = expected.gradients[i].abs().max().item<double>();
    CHECK((actual.gradients[i] - expected.gradients[i]).abs().max().item<double>() <= tolerance * scale);
  }
}

Projection make_operands(int64_t rows, int64_t classes, bool bias, at::ScalarType type = at::kFloat) {
  const auto leaf = [&](at::IntArrayRef shape) { return at::randn(shape, type).requires_grad_(); };
  return {leaf({rows, 24}), leaf({classes, 24}), bias ? leaf({classes}) : Tensor()};
}

}  // namespace

TEST_CASE("linear cross-entropy equals log_softmax of all logits") {
  const ScopedIsa scoped(GENERATE(Isa::generic, Isa::avx2, Isa::avx512));
  const int64_t classes = GENERATE(2, 64, 997);
  const bool bias = GENERATE(false, true);
  const double smoothing = GENERATE(0.0, 0.1);
  at::manual_seed(1);
  const Projection projection = make_operands(37, classes, bias);
  const Tensor labels = at::randint(classes, {37}, at::kLong);
  const Result actual = run(linear_cross_entropy, projection, labels, smoothing);
  const Result expected = run(linear_cross_entropy_reference, projection, labels, smoothing);
  require_same(actual, expected, 1e-5);
  CHECK(actual.correct == expected.correct);
}

TEST_CASE("many chunks give what one gives") {
  at::manual_seed(2);
  constexpr int64_t kClasses = 140'000;  // at most 128 rows a chunk
  const Projection projection = make_operands(300, kClasses, true);
  const Tensor labels = at::randint(kClasses, {300}, at::kLong);
  require_same(run(linear_cross_entropy, projection, labels, 0),
               run(linear_cross_entropy_reference, projection, labels, 0),
               2e-5);  // sums of 140,000 terms
}

TEST_CASE("the reference is PyTorch's definition, smoothing included") {
  at::manual_seed(3);
  const Projection projection = make_operands(9, 11, true, at::kDouble);
  const Tensor labels = at::randint(11, {9}, at::kLong);
  const Tensor expected = at::cross_entropy_loss(
      projection.logits(), labels, {}, at::Reduction::Sum, -100, /*label_smoothing=*/0.2);
  CHECK(linear_cross_entropy_reference(projection, labels, 0.2).sum.item<double>() ==
        Approx(expected.item<double>()).epsilon(1e-12));
}

TEST_CASE("float64 is exact: gradients equal autograd's of the reference") {
  at::manual_seed(4);
  const Projection projection = make_operands(9, 11, true, at::kDouble);
  const Tensor labels = at::randint(11, {9}, at::kLong);
  require_same(run(linear_cross_entropy, projection, labels, 0.2),
               run(linear_cross_entropy_reference, projection, labels, 0.2),
               1e-12);
}

TEST_CASE("under autocast products are bfloat16 and everything else is float32") {
  at::manual_seed(5);
  const int64_t classes = GENERATE(300, 140'000);
  Projection projection = make_operands(200, classes, true);
  projection.rows = (projection.rows.detach() / 5).requires_grad_();  // logits of order 1
  const Tensor labels = at::randint(classes, {200}, at::kLong);
  const Result expected = run(linear_cross_entropy_reference, projection, labels, 0.1);
  at::autocast::set_autocast_enabled(at::kCPU, true);
  const Result actual = run(linear_cross_entropy, projection, labels, 0.1);
  at::autocast::set_autocast_enabled(at::kCPU, false);
  require_same(actual, expected, 1e-2);
  CHECK(actual.gradients[1].scalar_type() == at::kFloat);
}

TEST_CASE("z-loss equals autograd's of the reference, beside smoothing and weights") {
  const ScopedIsa scoped(GENERATE(Isa::generic, Isa::avx2, Isa::avx512));
  const auto type = GENERATE(at::kFloat, at::kDouble);
  const bool weighted = GENERATE(false, true);
  const bool bias = GENERATE(false, true);
  at::manual_seed(6);
  const Projection projection = make_operands(37, 64, bias, type);
  RowLabels labels(at::randint(64, {37}, at::kLong));
  if (weighted) {
    labels.weights = at::rand({37});
  }
  const EntropyTerms terms(GENERATE(0.0, 0.1), 0.05);
  const Result expected = run(linear_cross_entropy_reference, projection, labels, terms);
  require_same(
      run(linear_cross_entropy, projection, labels, terms), expected, type == at::kFloat ? 1e-5 : 1e-6);
  CHECK(expected.loss > run(linear_cross_entropy, projection, labels, terms.label_smoothing).loss);
}

TEST_CASE("no labeled rows: the sum is 0, gradients are zeros, nothing is NaN") {
  const Projection projection = make_operands(0, 7, true);
  const Result result = run(linear_cross_entropy, projection, at::zeros({0}, at::kLong), 0.1);
  CHECK(result.loss == 0);
  CHECK(result.correct == 0);
  for (const Tensor& gradient : result.gradients) {
    CHECK((gradient == 0).all().item<bool>());
  }
}

TEST_CASE("huge logits stay finite") {
  const ScopedIsa scoped(GENERATE(Isa::generic, Isa::avx512));
  Projection projection = make_operands(4, 5, false);
  projection.rows = (projection.rows.detach() * 1e4).requires_grad_();
  const Result result = run(linear_cross_entropy, projection, at::zeros({4}, at::kLong), 0);
  CHECK(std::isfinite(result.loss));
  for (const Tensor& gradient : result.gradients) {
    CHECK(gradient.isfinite().all().item<bool>());
  }
}

TEST_CASE("a tie counts as correct only for the first of the largest") {
  const Projection projection{at::ones({3, 2}), at::ones({4, 2}), {}};
  CHECK(linear_cross_entropy(projection, at::tensor({0, 1, 3}, at::kLong)).correct.item<int64_t>() == 1);
}

TEST_CASE("of logits that are no numbers none is right") {
  const ScopedIsa allowed(GENERATE(Isa::generic, Isa::avx2, Isa::avx512));
  Projection projection = make_operands(5, 7, false);
  {
    const at::NoGradGuard no_grad;
    projection.weight.fill_(std::numeric_limits<float>::quiet_NaN());
  }
  const CrossEntropy all = linear_cross_entropy(projection, at::zeros({5}, at::kLong));
  CHECK(all.correct.item<double>() == 0);
  CHECK(std::isnan(all.sum.item<double>()));
  projection.rows.detach().zero_();
  projection.weight.detach().zero_();
  projection.weight.detach()[3].fill_(std::numeric_limits<float>::quiet_NaN());  // one of them is enough
  CHECK(linear_cross_entropy(projection, at::zeros({5}, at::kLong)).correct.item<double>() == 0);
}

TEST_CASE("without gradients only the loss is computed; frozen parts get none") {
  at::manual_seed(6);
  Projection projection = make_operands(5, 9, true);
  const Tensor labels = at::randint(9, {5}, at::kLong);
  {
    const at::NoGradGuard no_grad;
    CHECK_FALSE(linear_cross_entropy(projection, labels).sum.requires_grad());
  }
  projection.weight = projection.weight.detach();
  linear_cross_entropy(projection, labels).sum.backward();
  CHECK(projection.rows.grad().defined());
  CHECK_FALSE(projection.weight.grad().defined());
}

TEST_CASE("a label outside of the vocabulary is refused with both numbers") {
  const Projection projection = make_operands(2, 9, false);
  CHECK_THROWS_WITH(linear_cross_entropy(projection, at::tensor({0, 9}, at::kLong)),
                    Catch::Contains("9") && Catch::Contains("[0, 8]"));
}

TEST_CASE("each row's loss and gradient count times its weight, in every kernel") {
  at::manual_seed(11);
  const bool bias = GENERATE(false, true);
  const double smoothing = GENERATE(0.0, 0.1);
  const auto type = GENERATE(at::kFloat, at::kDouble);
  const Projection projection = make_operands(37, 50, bias, type);
  const RowLabels labels(at::randint(50, {37}, at::kLong), at::rand({37}) * 2);
  const Result expected = run(linear_cross_entropy_reference, projection, labels, smoothing);
  const Result actual = run(linear_cross_entropy, projection, labels, smoothing);
  require_same(actual, expected, 1e-5);
  CHECK(actual.correct == Approx(expected.correct));
  // A weight of 1 is no weight, to the bit.
  const Result ones = run(linear_cross_entropy, projection, {labels.ids, at::ones({37})}, smoothing);
  const Result plain = run(linear_cross_entropy, projection, labels.ids, smoothing);
  CHECK(ones.loss == plain.loss);
  for (size_t i = 0; i < ones.gradients.size(); ++i) {
    CHECK(at::equal(ones.gradients[i], plain.gradients[i]));
  }
}
