#include "metrics/evidence.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

namespace lmzoo {
namespace {

constexpr int64_t kBins = 20;
// Below it the tails of a sum and of chi-square are not yet those of their limits; of a sum Bernstein's bound holds.
constexpr double kLeastVariance = 100, kLeastExpected = 10;

Verdict verdict_of(double p_value) { return p_value < kFiveSigma ? Verdict::broken : Verdict::holds; }

// The regularized incomplete gamma function Q(a, x) = Γ(a, x) / Γ(a): 1 minus the series of P for x < a + 1, else the
// continued fraction by Lentz's method (Numerical Recipes, 3rd edition, section 6.2).
double gamma_tail(double a, double x) {
  constexpr double kEnough = 1e-16;
  constexpr int64_t kMost = 100'000;
  if (x <= 0) {
    return 1;
  }
  const double scale = std::exp(a * std::log(x) - x - std::lgamma(a));
  if (x < a + 1) {
    double term = 1 / a;
    double sum = term;
    for (int64_t n = 1; n < kMost && term > kEnough * sum; ++n) {
      term *= x / (a + static_cast<double>(n));
      sum += term;
    }
    return 1 - sum * scale;
  }
  double b = x + 1 - a;
  double c = std::numeric_limits<double>::max();
  double d = 1 / b;
  double fraction = d;
  double step = 0;
  for (int64_t n = 1; n < kMost && std::abs(step - 1) > kEnough; ++n) {
    const double factor = -static_cast<double>(n) * (static_cast<double>(n) - a);
    b += 2;
    d = 1 / (factor * d + b);
    c = b + factor / c;
    step = d * c;
    fraction *= step;
  }
  return fraction * scale;
}

}  // namespace

double chi_square_tail(double x, int64_t degrees) {
  return gamma_tail(static_cast<double>(degrees) / 2, x / 2);
}

double two_sided_tail(double z) { return std::erfc(std::abs(z) / std::sqrt(2.0)); }

void Always::add(bool holds) {
  ++cases_;
  exceptions_ += holds ? 0 : 1;
}

Finding Always::find() const {
  return {.verdict = exceptions_ > 0 ? Verdict::broken
                     : cases_ > 0    ? Verdict::holds
                                     : Verdict::too_few,
          .cases = cases_,
          .seen = static_cast<double>(exceptions_),
          .p_value = exceptions_ > 0 ? 0.0 : 1.0};
}

void Mean::add(double value, double mean, double variance, int64_t cases) {
  constexpr double kRounding = 1e-9;
  value_ += value;
  mean_ += mean;
  variance_ += variance;
  cases_ += cases;
  impossible_ = impossible_ || (variance <= 0 && std::abs(value - mean) > kRounding * std::max(1.0, mean));
}

void Mean::add_case(bool happened, double probability) { add_count(happened ? 1 : 0, 1, probability); }

void Mean::add_count(int64_t count, int64_t cases, double probability) {
  const auto n = static_cast<double>(cases);
  add(static_cast<double>(count), n * probability, n * probability * (1 - probability), cases);
}

Finding Mean::find() const {
  if (cases_ == 0) {
    return {};
  }
  const auto n = static_cast<double>(cases_);
  Finding found{.cases = cases_, .expected = mean_ / n, .seen = value_ / n};
  const double off = std::abs(value_ - mean_);
  if (impossible_) {
    found.p_value = 0;
  } else if (variance_ >= kLeastVariance) {
    found.p_value = two_sided_tail(off / std::sqrt(variance_));
  } else if (variance_ > 0) {
    found.p_value = std::min(1.0, 2 * std::exp(-off * off / (2 * (variance_ + off / 3))));
  }
  found.verdict = verdict_of(found.p_value);
  if (found.verdict == Verdict::holds && variance_ > 0 && variance_ < kLeastVariance) {
    found.verdict = Verdict::too_few;
  }
  return found;
}

Spread::Spread(std::vector<double> probabilities)
    : probabilities_(std::move(probabilities)), counts_(probabilities_.size()) {}

Finding Spread::find() const {
  Finding found{.cases = std::accumulate(counts_.begin(), counts_.end(), int64_t{0})};
  const auto n = static_cast<double>(found.cases);
  double expected = 0;
  double seen = 0;
  int64_t bins = 0;
  double left = n;  // expected of what is not in a bin yet
  for (size_t i = 0; i < counts_.size(); ++i) {
    expected += n * probabilities_[i];
    seen += static_cast<double>(counts_[i]);
    const bool is_last = i + 1 == counts_.size();
    if (is_last || (expected >= kLeastExpected && left - expected >= kLeastExpected)) {
      found.seen += expected > 0 ? (seen - expected) * (seen - expected) / expected : 0;
      ++bins;
      left -= expected;
      expected = seen = 0;
    }
  }
  found.expected = static_cast<double>(bins - 1);
  if (bins > 1) {
    found.p_value = chi_square_tail(found.seen, bins - 1);
    found.verdict = verdict_of(found.p_value);
  }
  return found;
}

Evenly::Evenly()
    : spread_(std::vector<double>(kBins, 1.0 / kBins)), stream_({.purpose = Purpose::sampling}) {}

void Evenly::add(double below, double probability) {
  const double place = below + probability * stream_.uniform();
  spread_.add(std::clamp(static_cast<int64_t>(place * kBins), int64_t{0}, kBins - 1));
}

void Evenly::add_of(int64_t number, int64_t count) {
  if (count > 1) {
    add(static_cast<double>(number) / static_cast<double>(count), 1 / static_cast<double>(count));
  }
}

Finding find(const Evidence& evidence) {
  return std::visit([](const auto& one) { return one.find(); }, evidence);
}

}  // namespace lmzoo
