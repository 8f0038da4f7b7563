#include "train/loop/lr_schedule.h"

#include <cmath>

#include "support/catch.h"

using namespace lmzoo;

namespace {

const ScheduleContext kRun{.lr = 2e-3, .steps = 100, .width = 256};

double rate(const ScheduleOptions& options, int64_t step, const ScheduleContext& run = kRun) {
  validate(options, run);
  return learning_rate(options, run, step);
}

}  // namespace

TEST_CASE("every schedule rises in a straight line to lr at the end of the warm-up") {
  for (const auto& [type, name] : EnumNames<ScheduleType>::values) {
    if (type == ScheduleType::noam) {
      continue;
    }
    CAPTURE(name);
    const ScheduleOptions options{.type = type, .warmup_steps = 10};
    CHECK(rate(options, 1) == Approx(2e-4));
    CHECK(rate(options, 5) == Approx(1e-3));
    CHECK(rate(options, 10) == Approx(2e-3));
  }
}

TEST_CASE("without a warm-up the first step has (almost) the full rate") {
  CHECK(rate({.type = ScheduleType::constant}, 1) == 2e-3);
  CHECK(rate({.type = ScheduleType::linear}, 1) == Approx(2e-3 * 0.99));
  CHECK(rate({.type = ScheduleType::inverse_sqrt}, 1) == 2e-3);
  CHECK(rate({.type = ScheduleType::wsd}, 1) == 2e-3);
}

TEST_CASE("constant stays") {
  CHECK(rate({.type = ScheduleType::constant, .warmup_steps = 10}, 100) == 2e-3);
}

TEST_CASE("linear goes straight to min_lr at the last step, and stays there") {
  const ScheduleOptions options{.type = ScheduleType::linear, .warmup_steps = 20, .min_lr = 4e-4};
  CHECK(rate(options, 60) == Approx(1.2e-3));
  CHECK(rate(options, 100) == Approx(4e-4));
  CHECK(rate(options, 200) == Approx(4e-4));
}

TEST_CASE("cosine goes over the mean of lr and min_lr to min_lr") {
  const ScheduleOptions options{.type = ScheduleType::cosine, .warmup_steps = 20, .min_lr = 4e-4};
  CHECK(rate(options, 40) == Approx(4e-4 + 1.6e-3 * (1 + std::sqrt(0.5)) / 2));
  CHECK(rate(options, 60) == Approx(1.2e-3));
  CHECK(rate(options, 100) == Approx(4e-4));
}

TEST_CASE("inverse_sqrt is fairseq's: lr * sqrt(w / n)") {
  const ScheduleOptions options{.type = ScheduleType::inverse_sqrt, .warmup_steps = 16};
  CHECK(rate(options, 16) == Approx(2e-3));
  CHECK(rate(options, 64) == Approx(1e-3));
  CHECK(rate(options, 1600, {.lr = 2e-3, .steps = 1600, .width = 8}) == Approx(2e-4));
}

TEST_CASE("noam is the formula of Attention is all you need") {
  const ScheduleContext run{.lr = 1, .steps = 100'000, .width = 512};
  const ScheduleOptions options{.type = ScheduleType::noam, .warmup_steps = 4000};
  CHECK(rate(options, 1, run) == Approx(1.7469281e-7));
  CHECK(rate(options, 4000, run) == Approx(6.9877124e-4));
  CHECK(rate(options, 100'000, run) == Approx(1.3975425e-4));
}

TEST_CASE("wsd is flat and then decays in the last part") {
  ScheduleOptions options{
      .type = ScheduleType::wsd, .warmup_steps = 10, .min_lr = 2e-4, .decay_fraction = 0.2};
  for (const auto& [shape, name] : EnumNames<DecayShape>::values) {
    CAPTURE(name);
    options.decay_shape = shape;
    CHECK(rate(options, 50) == 2e-3);
    CHECK(rate(options, 80) == 2e-3);
    CHECK(rate(options, 81) < 2e-3);
    CHECK(rate(options, 100) == Approx(2e-4));
  }
  options.decay_shape = DecayShape::linear;
  CHECK(rate(options, 85) == Approx(2e-4 + 1.8e-3 * 0.75));
  options.decay_shape = DecayShape::cosine;
  CHECK(rate(options, 90) == Approx(1.1e-3));
  options.decay_shape = DecayShape::one_minus_sqrt;
  CHECK(rate(options, 85) == Approx(2e-4 + 1.8e-3 * 0.5));
}

TEST_CASE("a schedule that cannot be is refused with its numbers") {
  using Catch::Matchers::Contains;
  CHECK_THROWS_WITH(rate({.warmup_steps = 101}, 1),
                    Contains("schedule.warmup_steps = 101") && Contains("train.steps = 100"));
  CHECK_THROWS_WITH(rate({.min_lr = 1}, 1), Contains("schedule.min_lr = 1") && Contains("0.002"));
  CHECK_THROWS_WITH(rate({.type = ScheduleType::wsd, .warmup_steps = 95}, 1), Contains("10 steps of decay"));
}
