#include "metrics/bootstrap.h"

#include "metrics/golden.h"
#include "metrics/numpy_random.h"
#include "metrics/task.h"
#include "support/catch.h"

using namespace lmzoo;

namespace {

// The first system's answers, then the second one's.
TaskPredictions both_systems(const Json& one) {
  TextPredictions all;
  for (const char* system : {"first", "second"}) {
    for (size_t i = 0; i < one["truth"].size(); ++i) {
      all.truth.push_back({one["truth"][i].get<std::string>()});
      all.predicted.push_back(one[system][i].get<std::string>());
    }
  }
  return all;
}

double mean(std::span<const int64_t> answers, const std::vector<double>& values) {
  double sum = 0;
  for (const int64_t answer : answers) {
    sum += values[static_cast<size_t>(answer)];
  }
  return sum / static_cast<double>(answers.size());
}

}  // namespace

TEST_CASE("draws are NumPy's") {
  const Json golden = test::golden_metrics("bootstrap");
  for (const Json& one : golden["draws"]) {
    const uint64_t seed = std::stoull(one["seed"].get<std::string>());
    INFO("seed " << seed);
    NumpyRandom random(seed), other(seed);
    for (const Json& drawn : one["below"]) {
      CHECK(random.below(one["n"].get<uint32_t>()) == drawn.get<uint32_t>());
    }
    NumpyBits bits(other);
    for (const Json& drawn : one["bits"]) {
      CHECK(bits.next() == (drawn.get<int>() == 1));
    }
  }
}

TEST_CASE("paired bootstrap and randomization have sacreBLEU's p-values") {
  const TestOptions options{.resamples = 200, .trials = 200};
  const Json golden = test::golden_metrics("bootstrap");
  for (const Json& one : golden["tests"]) {
    const TaskPredictions both = both_systems(one);
    const auto n = static_cast<int64_t>(one["truth"].size());
    for (const char* metric : {"bleu", "chrf"}) {
      INFO(metric << " of " << n << " examples");
      const ScoreOf score = metric_of(both, metric);
      const PairedBootstrap test = paired_bootstrap(score, n, options);
      const Json& bootstrap = one["bs"][metric];
      CHECK(test::near(test.first, bootstrap[0]));
      CHECK(test::near(test.second, bootstrap[1]));
      CHECK(test::near(test.p_value, bootstrap[2]));
      CHECK(test::near(approximate_randomization(score, n, options), one["ar"][metric][2]));
      CHECK(test.low <= test.difference);
      CHECK(test.difference <= test.high);
    }
  }
}

TEST_CASE("a system against itself differs by nothing, and a better one on every example wins always") {
  std::vector<double> values(40);
  for (size_t i = 0; i < 20; ++i) {
    values[i] = static_cast<double>(i % 7);
    values[20 + i] = values[i] + 1;
  }
  const ScoreOf better = [&](auto answers) { return mean(answers, values); };
  const PairedBootstrap test = paired_bootstrap(better, 20);
  CHECK(test.difference == Approx(1));
  CHECK(test.low == Approx(1));
  CHECK(test.high == Approx(1));
  CHECK(test.second_wins == 1);
  CHECK(test.p_value < 0.01);
  CHECK(approximate_randomization(better, 20) < 0.01);

  const ScoreOf same = [&](auto answers) {
    std::vector<int64_t> first(answers.begin(), answers.end());
    for (int64_t& answer : first) {
      answer %= 20;
    }
    return mean(first, values);
  };
  CHECK(paired_bootstrap(same, 20).difference == 0);
  CHECK(paired_bootstrap(same, 20).second_wins == 0);
  CHECK(paired_bootstrap(same, 20).p_value == 1);
  CHECK(approximate_randomization(same, 20) == 1);
}

TEST_CASE("a score that is not defined has no p-value") {
  const ScoreOf undefined = [](auto) { return std::nan(""); };
  CHECK(std::isnan(paired_bootstrap(undefined, 5).p_value));
  CHECK(std::isnan(approximate_randomization(undefined, 5)));
  CHECK_THROWS_AS(paired_bootstrap(undefined, 0), std::logic_error);
}
