#include "train/loop/step.h"

#include <ATen/Context.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/randn.h>

#include "support/catch.h"
#include "train/fakes.h"
#include "train/loop/precision.h"

using namespace lmzoo;
using namespace lmzoo::test;

namespace {

struct Outcome {
  NamedTensors weights;
  double loss, norm;
};

// One step from the same weights over these micro-batches. The optimizer is set so that the update is the
// mean gradient times a constant as far as AdamW can: a large eps.
Outcome one_step(const std::vector<Batch>& micro_batches, double dropout = 0, uint64_t seed = 5) {
  TinyRun run("", dropout);
  run.clip_norm = 0;
  run.optimizer_options = "{weight_decay: 0, eps: 1000}";
  const StepParts parts{
      .model = *run.model, .objective = *run.objective, .optimizer = run.optimizer(), .seed = seed};
  const StepOutcome outcome = train_step(parts, micro_batches, 1, 1000);
  return {
      copy_of(run.snapshot().weights), outcome.values[0].item<double>(), outcome.values[1].item<double>()};
}

double largest_difference(const Outcome& a, const Outcome& b) {
  double worst = 0;
  for (size_t i = 0; i < a.weights.size(); ++i) {
    worst = std::max(worst, (a.weights[i].tensor - b.weights[i].tensor).abs().max().item<double>());
  }
  return worst;
}

}  // namespace

TEST_CASE("1 x 8, 2 x 4 and 4 x 2 ragged sequences are the same step") {
  std::vector<Batch> eight, four, two;
  for (uint64_t i = 0; i < 8; ++i) {
    eight.push_back(tiny_batch(i, 1));
  }
  two = {joined_batches({eight.begin(), eight.begin() + 2}),
         joined_batches({eight.begin() + 2, eight.begin() + 4}),
         joined_batches({eight.begin() + 4, eight.begin() + 6}),
         joined_batches({eight.begin() + 6, eight.end()})};
  four = {joined_batches({eight.begin(), eight.begin() + 4}),
          joined_batches({eight.begin() + 4, eight.end()})};
  REQUIRE(four[0].slots[0].count() != four[1].slots[0].count());  // else a mean of means would pass
  const Outcome whole = one_step({joined_batches(eight)});
  const Outcome none = one_step({});
  CHECK(largest_difference(whole, none) > 1e-2);
  for (const auto& cut : {four, two, eight}) {
    const Outcome parts = one_step(cut);
    CHECK(largest_difference(whole, parts) < 1e-6);
    CHECK(parts.loss == Approx(whole.loss).epsilon(1e-6));
    CHECK(parts.norm == Approx(whole.norm).epsilon(1e-6));
  }
}

TEST_CASE("the logged norm is that of the gradient of the mean loss") {
  TinyRun run("");
  const Batch batch = tiny_batch(3, 4);
  Stream stream({});
  run.model->eval();
  mean_loss(run.objective->loss(*run.model, batch, stream), batch).backward();
  double squares = 0;
  for (const NamedTensor& entry : trainable(*run.model, *run.objective)) {
    squares += entry.tensor.grad().square().sum().item<double>();
  }
  CHECK(one_step({batch}).norm == Approx(std::sqrt(squares)).epsilon(1e-5));
}

TEST_CASE("dropout is a function of seed, step and micro-batch, not of what was drawn before") {
  const std::vector<Batch> batches{tiny_batch(1, 4), tiny_batch(2, 4)};
  const Outcome first = one_step(batches, 0.5);
  at::manual_seed(99);
  const Outcome second = one_step(batches, 0.5);
  CHECK(same(first.weights, second.weights));
  CHECK_FALSE(same(first.weights, one_step(batches, 0.5, 6).weights));
  // Equal micro-batches draw different masks: else two would be one of twice the weight, whose loss is the
  // double.
  const double one = one_step({batches[0]}, 0.5).loss;
  CHECK(one_step({batches[0], batches[0]}, 0.5).loss != Approx(2 * one));
}

TEST_CASE("a step counts its work") {
  TinyRun run("");
  const StepParts parts{.model = *run.model, .objective = *run.objective, .optimizer = run.optimizer()};
  const Batch a = tiny_batch(1, 4), b = tiny_batch(2, 4);
  const StepWork work = train_step(parts, {a, b}, 1, 0.1).work;
  CHECK(work.tokens == a.tokens + b.tokens);
  CHECK(work.labels == a.slots[0].count() + b.slots[0].count());
  CHECK(work.samples == std::vector<uint64_t>{1, 2});
  CHECK(work.flops == Approx(6.0 * kWidth * kWidth * work.tokens + 6.0 * kWidth * kVocab * work.labels));
}

TEST_CASE("a micro-batch without labels adds nothing") {
  Batch empty = tiny_batch(1, 2);
  empty.slots[0].rows = empty.slots[0].rows.slice(0, 0, 0);
  empty.slots[0].total = 0;
  empty.slots[0].labels = empty.slots[0].labels.slice(0, 0, 0);
  CHECK(same(one_step({tiny_batch(2, 2), empty}).weights, one_step({tiny_batch(2, 2)}).weights));
  CHECK(same(one_step({empty}).weights, one_step({}).weights));
}

TEST_CASE("bf16 lowers products inside its scope only, keeps no stale weights, and trains nearly as fp32") {
  const Tensor a = at::randn({32, 32}), b = at::randn({32, 32});
  {
    const PrecisionScope outer(Precision::bf16, at::kCPU);
    CHECK(a.mm(b).scalar_type() == at::kBFloat16);
    {
      const PrecisionScope inner(Precision::bf16, at::kCPU);
      CHECK(a.mm(b).scalar_type() == at::kBFloat16);
    }
    CHECK(a.mm(b).scalar_type() == at::kBFloat16);
  }
  CHECK(a.mm(b).scalar_type() == at::kFloat);
  const PrecisionScope none(Precision::fp32, at::kCPU);
  CHECK(a.mm(b).scalar_type() == at::kFloat);

  double losses[2];
  for (const Precision precision : {Precision::fp32, Precision::bf16}) {
    TinyRun run("", 0);
    const StepParts parts{.model = *run.model,
                          .objective = *run.objective,
                          .optimizer = run.optimizer(),
                          .seed = 1,
                          .precision = precision};
    for (int64_t step = 1; step <= 30; ++step) {
      const StepOutcome outcome = train_step(parts, {tiny_batch(1, 8)}, step, 0.02);
      losses[static_cast<int>(precision)] = outcome.values[0].item<double>() / outcome.work.labels;
    }
  }
  CHECK(losses[0] < 1.5);
  CHECK(losses[1] == Approx(losses[0]).epsilon(0.05));  // thirty steps apart, not one product
}
