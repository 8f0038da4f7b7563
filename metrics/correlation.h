// Correlation of two lists of numbers.
#pragma once

#include <span>
#include <vector>

namespace lmzoo {

// NaN when a list has fewer than two numbers or all of one are equal.
double pearson(std::span<const double> a, std::span<const double> b);
// Pearson of the ranks; equal numbers share the mean of their ranks.
double spearman(std::span<const double> a, std::span<const double> b);

// 1 for the smallest.
std::vector<double> ranks(std::span<const double> values);

}  // namespace lmzoo
