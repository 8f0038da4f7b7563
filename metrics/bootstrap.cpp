#include "metrics/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <tuple>
#include <utility>
#include <vector>

#include "metrics/numpy_random.h"

namespace lmzoo {
namespace {

void check_examples(int64_t examples) {
  if (examples < 1 || examples > std::numeric_limits<int32_t>::max()) {
    throw std::logic_error("a paired test needs examples");
  }
}

// The scores of both systems' own answers.
std::pair<double, double> own_scores(const ScoreOf& score, int64_t examples) {
  std::vector<int64_t> answers(static_cast<size_t>(examples));
  std::iota(answers.begin(), answers.end(), int64_t{0});
  const double first = score(answers);
  std::iota(answers.begin(), answers.end(), examples);
  return {first, score(answers)};
}

// One more of both: the observed one belongs to them (Noreen). No difference is no evidence of one; sacreBLEU
// would say 1 / (n + 1) of a system against itself.
double share_above(const std::vector<double>& statistics, double observed) {
  if (std::isnan(observed)) {
    return observed;
  }
  if (observed == 0) {
    return 1;
  }
  const auto above = std::count_if(
      statistics.begin(), statistics.end(), [&](double statistic) { return statistic > observed; });
  return (static_cast<double>(above) + 1) / (static_cast<double>(statistics.size()) + 1);
}

// second - first on each resample. Resamples on which a score is not defined (a correlation of equal numbers)
// are left out.
std::vector<double> resampled_differences(const ScoreOf& score,
                                          int64_t examples,
                                          const TestOptions& options) {
  NumpyRandom random(options.seed);
  std::vector<int64_t> first(static_cast<size_t>(examples)), second(first.size());
  std::vector<double> differences;
  for (int64_t round = 0; round < options.resamples; ++round) {
    for (size_t i = 0; i < first.size(); ++i) {
      first[i] = random.below(static_cast<uint32_t>(examples));
      second[i] = first[i] + examples;
    }
    const double difference = score(second) - score(first);
    if (std::isfinite(difference)) {
      differences.push_back(difference);
    }
  }
  return differences;
}

// sacreBLEU's (and Moses'): how often a resampled difference is farther from the mean one than the observed
// one from zero.
double centered_p_value(const std::vector<double>& differences, double observed) {
  std::vector<double> statistics;
  statistics.reserve(differences.size());
  for (const double difference : differences) {
    statistics.push_back(std::abs(difference));
  }
  const double mean =
      std::accumulate(statistics.begin(), statistics.end(), 0.0) / static_cast<double>(statistics.size());
  for (double& statistic : statistics) {
    statistic -= mean;
  }
  return share_above(statistics, std::abs(observed));
}

}  // namespace

PairedBootstrap paired_bootstrap(const ScoreOf& score, int64_t examples, const TestOptions& options) {
  check_examples(examples);
  PairedBootstrap result;
  std::tie(result.first, result.second) = own_scores(score, examples);
  result.difference = result.second - result.first;
  std::vector<double> differences = resampled_differences(score, examples, options);
  if (differences.empty()) {
    result.low = result.high = result.second_wins = result.p_value = std::numeric_limits<double>::quiet_NaN();
    return result;
  }
  result.p_value = centered_p_value(differences, result.difference);
  std::sort(differences.begin(), differences.end());
  const size_t cut = differences.size() / 40;  // 2.5 % on each side
  result.low = differences[cut];
  result.high = differences[differences.size() - 1 - cut];
  const auto wins = std::count_if(differences.begin(), differences.end(), [](double d) { return d > 0; });
  result.second_wins = static_cast<double>(wins) / static_cast<double>(differences.size());
  return result;
}

double approximate_randomization(const ScoreOf& score, int64_t examples, const TestOptions& options) {
  check_examples(examples);
  const auto [own_first, own_second] = own_scores(score, examples);
  NumpyRandom random(options.seed);
  NumpyBits keeps(random);
  std::vector<int64_t> first(static_cast<size_t>(examples)), second(first.size());
  std::vector<double> statistics;
  for (int64_t trial = 0; trial < options.trials; ++trial) {
    for (size_t i = 0; i < first.size(); ++i) {
      const bool keep = keeps.next();
      const auto answer = static_cast<int64_t>(i);
      first[i] = keep ? answer : answer + examples;
      second[i] = keep ? answer + examples : answer;
    }
    statistics.push_back(std::abs(score(first) - score(second)));
  }
  return share_above(statistics, std::abs(own_second - own_first));
}

}  // namespace lmzoo
