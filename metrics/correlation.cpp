#include "metrics/correlation.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <stdexcept>

namespace lmzoo {

namespace {

// Asked of the numbers themselves: their mean is rounded, so their deviations from it need not be zero.
bool all_equal(std::span<const double> x) {
  return std::adjacent_find(x.begin(), x.end(), std::not_equal_to<>()) == x.end();
}

// From the mean, in units of the largest one, so that their squares neither overflow nor vanish.
std::vector<double> deviations(std::span<const double> values) {
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
  std::vector<double> result;
  double largest = 0;
  for (const double value : values) {
    result.push_back(value - mean);
    largest = std::max(largest, std::abs(value - mean));
  }
  for (double& deviation : result) {
    deviation /= largest;
  }
  return result;
}

}  // namespace

double pearson(std::span<const double> a, std::span<const double> b) {
  if (a.size() != b.size()) {
    throw std::logic_error("pearson: lists of different lengths");
  }
  if (all_equal(a) || all_equal(b)) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  const std::vector<double> x = deviations(a), y = deviations(b);
  const double xy = std::inner_product(x.begin(), x.end(), y.begin(), 0.0);
  const double xx = std::inner_product(x.begin(), x.end(), x.begin(), 0.0);
  const double yy = std::inner_product(y.begin(), y.end(), y.begin(), 0.0);
  return xy / std::sqrt(xx * yy);
}

std::vector<double> ranks(std::span<const double> values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t i, size_t j) { return values[i] < values[j]; });
  std::vector<double> result(values.size());
  for (size_t begin = 0; begin < order.size();) {
    size_t end = begin + 1;
    while (end < order.size() && values[order[end]] == values[order[begin]]) {
      ++end;
    }
    for (size_t i = begin; i < end; ++i) {
      result[order[i]] = 0.5 * static_cast<double>(begin + 1 + end);
    }
    begin = end;
  }
  return result;
}

double spearman(std::span<const double> a, std::span<const double> b) { return pearson(ranks(a), ranks(b)); }

}  // namespace lmzoo
