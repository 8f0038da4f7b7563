// Is one system better than another, or was it luck? Both answered the same examples, so examples are drawn
// (or the systems' answers exchanged) in pairs.
//
// Sources: paired bootstrap: Koehn, "Statistical significance tests for machine translation evaluation",
// 2004; approximate randomization: Noreen 1989, Riezler and Maxwell 2005. Draws and p-values are those of
// sacreBLEU 2 (NumPy's PCG64 of the same seed), so that the numbers can be compared.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

namespace lmzoo {

// The score of a list of answers by index, which may repeat: 0 .. n-1 are the first system's answers to the n
// examples, n .. 2n-1 the second one's to the same.
using ScoreOf = std::function<double(std::span<const int64_t> answers)>;

struct TestOptions {
  int64_t resamples = 1000;  // of the bootstrap
  int64_t trials = 10000;    // of the randomization
  uint64_t seed = 12345;
};

struct PairedBootstrap {
  double first = 0;
  double second = 0;
  double difference = 0;  // second - first
  double low = 0;         // 95 % of the resampled differences lie between them
  double high = 0;
  double second_wins = 0;  // share of resamples in which the second is larger (Koehn's confidence)
  double p_value = 1;      // two-sided, as sacreBLEU computes it
};
PairedBootstrap paired_bootstrap(const ScoreOf& score, int64_t examples, const TestOptions& options = {});

// The two-sided p-value of: the answers could as well have been exchanged.
double approximate_randomization(const ScoreOf& score, int64_t examples, const TestOptions& options = {});

}  // namespace lmzoo
