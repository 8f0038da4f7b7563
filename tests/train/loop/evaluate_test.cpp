#include "train/loop/evaluate.h"

#include <cmath>
#include <csignal>

#include <ATen/core/grad_mode.h>

#include "support/catch.h"
#include "train/fakes.h"
#include "train/loop/stop_signal.h"

using namespace lmzoo;
using namespace lmzoo::test;

TEST_CASE("an evaluation divides sums once, whatever the batches are") {
  TinyRun run("", 0.5);
  const auto result = evaluate(*run.model, *run.objective, tiny_eval_set(), {});
  REQUIRE(result);
  const EvalSet one{.name = "valid",
                    .open = []() -> BatchPass {
                      return [done = false]() mutable -> std::optional<Batch> {
                        if (std::exchange(done, true)) {
                          return std::nullopt;
                        }
                        return joined_batches(
                            {tiny_batch(1'000'000, 3), tiny_batch(1'000'001, 3), tiny_batch(1'000'002, 3)});
                      };
                    },
                    .bytes = 100};
  const auto whole = evaluate(*run.model, *run.objective, one, {});
  CHECK(result->labels == whole->labels);
  CHECK(result->tokens == whole->tokens);
  CHECK(result->loss() == Approx(whole->loss()).epsilon(1e-6));
  CHECK(result->mean("accuracy") == whole->mean("accuracy"));
  CHECK(result->perplexity() == Approx(std::exp(result->loss())));
  CHECK(*result->bits_per_byte() == Approx(result->loss_sum / std::log(2) / 100));
  CHECK(result->values().front().first == "loss");
}

TEST_CASE("an evaluation has no dropout, no gradient and no effect, and repeats itself") {
  TinyRun run("", 0.5);
  const NamedTensors before = copy_of(run.snapshot().weights);
  const auto first = evaluate(*run.model, *run.objective, tiny_eval_set(), {});
  const auto second = evaluate(*run.model, *run.objective, tiny_eval_set(), {});
  CHECK(first->loss_sum == second->loss_sum);
  CHECK(run.model->is_training());
  CHECK(run.objective->is_training());
  CHECK(at::GradMode::is_enabled());
  CHECK(same(before, run.snapshot().weights));
  CHECK_FALSE(run.model->embedding.grad().defined());
}

TEST_CASE("a part of the data gives no bits per byte, because its bytes are unknown") {
  TinyRun run("");
  const auto part = evaluate(*run.model, *run.objective, tiny_eval_set(3), {.max_batches = 2});
  CHECK_FALSE(part->bits_per_byte());
  CHECK(part->labels == evaluate(*run.model, *run.objective, tiny_eval_set(2), {})->labels);
  CHECK(evaluate(*run.model, *run.objective, tiny_eval_set(3), {.max_batches = 3})->bits_per_byte());
}

TEST_CASE("data without a label is refused") {
  TinyRun run("");
  CHECK_THROWS_WITH(evaluate(*run.model, *run.objective, tiny_eval_set(0), {}),
                    Catch::Matchers::Contains("data.valid has no label"));
}

TEST_CASE("a stop signal ends an evaluation") {
  TinyRun run("");
  const StopSignal handlers;
  std::raise(SIGINT);
  CHECK_FALSE(evaluate(*run.model, *run.objective, tiny_eval_set(), {}));
  CHECK_THROWS_AS(throw_if_stopped(), Interrupted);
}
