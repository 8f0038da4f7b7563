// Whether draws are as they were promised: counts against what is known of them.
//
//   Always   holds in every case; one exception breaks it
//   Mean     a sum of independent numbers of known mean and variance (shares, counts): how many sigma it is off
//   Spread   independent cases in categories of known probability: Pearson's chi-square with its exact tail
//   Evenly   independent cases, each of a known distribution of its own, which its distribution function makes even
//            in [0, 1); of a discrete one a random place in the case's step (Brockwell 2007, "Universal residuals"):
//            chi-square over 20 bins
//
// What is drawn without replacement is a little closer to its expectation than independent draws are: the test then
// never breaks a promise that is kept. Broken is what chance gives with a probability below that of 5 sigma to both
// sides.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/rng.h"

namespace lmzoo {

inline constexpr double kFiveSigma = 5.733e-7;

// P(X >= x) of chi-square with so many degrees of freedom, to about 14 digits.
double chi_square_tail(double x, int64_t degrees);
// P(|X| >= z) of the standard normal distribution.
double two_sided_tail(double z);

enum class Verdict { holds, broken, too_few };

struct Finding {
  Verdict verdict = Verdict::too_few;  // too_few: not enough cases to say anything
  int64_t cases = 0;
  double expected = 0,
         seen = 0;     // exceptions, the mean of a case, or chi-square (expected: degrees of freedom)
  double p_value = 1;  // of being at least so far off by chance
};

class Always {
 public:
  void add(bool holds);
  Finding find() const;

 private:
  int64_t cases_ = 0, exceptions_ = 0;
};

class Mean {
 public:
  // A number that is the sum of so many cases. Of variance 0 it must be the mean itself.
  void add(double value, double mean, double variance, int64_t cases = 1);
  // One case, of this probability.
  void add_case(bool happened, double probability);
  // So many of independent cases of this probability.
  void add_count(int64_t count, int64_t cases, double probability);
  Finding find() const;

 private:
  double value_ = 0, mean_ = 0, variance_ = 0;
  int64_t cases_ = 0;
  bool impossible_ = false;
};

class Spread {
 public:
  explicit Spread(std::vector<double> probabilities);
  void add(int64_t category) { ++counts_.at(static_cast<size_t>(category)); }
  // Categories of small expectation count with their neighbors.
  Finding find() const;

 private:
  std::vector<double> probabilities_;
  std::vector<int64_t> counts_;
};

class Evenly {
 public:
  Evenly();
  // A case that lies above `below` of its distribution and takes `probability` of it.
  void add(double below, double probability);
  // One of `count` numbers 0 ... count - 1 that are equally likely; a single number says nothing.
  void add_of(int64_t number, int64_t count);
  // Any of so many, where one shall stand for all.
  int64_t pick(int64_t count) { return static_cast<int64_t>(stream_.below(static_cast<uint64_t>(count))); }
  Finding find() const { return spread_.find(); }

 private:
  Spread spread_;
  Stream stream_;
};

using Evidence = std::variant<Always, Mean, Spread, Evenly>;
Finding find(const Evidence& evidence);

}  // namespace lmzoo
