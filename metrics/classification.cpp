#include "metrics/classification.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <stdexcept>

namespace lmzoo {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

double ratio(double a, double b) { return b == 0 ? 0 : a / b; }

void same_length(size_t a, size_t b) {
  if (a != b) {
    throw std::logic_error("metrics: lists of different lengths");
  }
}

void same_shape(const LabelSets& a, const LabelSets& b) {
  same_length(a.flags.size(), b.flags.size());
  same_length(static_cast<size_t>(a.labels), static_cast<size_t>(b.labels));
}

// Ascending by class. A bootstrap counts thousands of times, so classes are numbers in a row where they can
// be.
std::vector<std::pair<int64_t, ClassCounts>> count_classes(Classes truth, Classes predicted) {
  same_length(truth.size(), predicted.size());
  constexpr int64_t kFew = 4096;
  const auto is_few = [](int64_t label) { return label >= 0 && label < kFew; };
  std::vector<ClassCounts> few;
  std::map<int64_t, ClassCounts> others;
  const auto of = [&](int64_t label) -> ClassCounts& {
    if (!is_few(label)) {
      return others[label];
    }
    if (label >= static_cast<int64_t>(few.size())) {
      few.resize(static_cast<size_t>(label) + 1);
    }
    return few[static_cast<size_t>(label)];
  };
  for (size_t i = 0; i < truth.size(); ++i) {
    of(truth[i]) += {.hits = truth[i] == predicted[i], .predicted = 0, .truth = 1};
    ++of(predicted[i]).predicted;
  }
  for (size_t label = 0; label < few.size(); ++label) {
    if (few[label] != ClassCounts{}) {
      others[static_cast<int64_t>(label)] = few[label];
    }
  }
  return {others.begin(), others.end()};
}

// Of so many flags, one after the other.
ClassCounts count_flags(std::span<const uint8_t> truth, std::span<const uint8_t> predicted) {
  ClassCounts counts;
  for (size_t i = 0; i < truth.size(); ++i) {
    counts += {.hits = truth[i] & predicted[i], .predicted = predicted[i], .truth = truth[i]};
  }
  return counts;
}

// Order of examples by falling score.
std::vector<size_t> by_falling_score(std::span<const double> scores) {
  std::vector<size_t> order(scores.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return scores[a] > scores[b]; });
  return order;
}

// One threshold of a curve: so many true and false examples are at or above it.
struct CurvePoint {
  double hits = 0;
  double false_alarms = 0;
};

// A point for each different score, from the highest.
std::vector<CurvePoint> curve(Classes truth, std::span<const double> scores) {
  same_length(truth.size(), scores.size());
  const std::vector<size_t> order = by_falling_score(scores);
  std::vector<CurvePoint> points;
  CurvePoint now;
  for (size_t i = 0; i < order.size(); ++i) {
    (truth[order[i]] != 0 ? now.hits : now.false_alarms) += 1;
    if (i + 1 == order.size() || scores[order[i + 1]] != scores[order[i]]) {
      points.push_back(now);
    }
  }
  return points;
}

}  // namespace

ClassScores scores_of(const ClassCounts& counts) {
  const auto hits = static_cast<double>(counts.hits);
  const auto predicted = static_cast<double>(counts.predicted);
  const auto truth = static_cast<double>(counts.truth);
  return {.precision = ratio(hits, predicted),
          .recall = ratio(hits, truth),
          .f1 = ratio(2 * hits, predicted + truth),
          .support = counts.truth};
}

ClassScores average(std::span<const ClassCounts> classes, Average how) {
  ClassCounts all;
  for (const ClassCounts& counts : classes) {
    all += counts;
  }
  if (how == Average::micro) {
    return scores_of(all);
  }
  ClassScores mean{.support = all.truth};
  double weights = 0;
  for (const ClassCounts& counts : classes) {
    const ClassScores scores = scores_of(counts);
    const double weight = how == Average::macro ? 1 : static_cast<double>(counts.truth);
    mean.precision += weight * scores.precision;
    mean.recall += weight * scores.recall;
    mean.f1 += weight * scores.f1;
    weights += weight;
  }
  mean.precision = ratio(mean.precision, weights);
  mean.recall = ratio(mean.recall, weights);
  mean.f1 = ratio(mean.f1, weights);
  return mean;
}

double accuracy(Classes truth, Classes predicted) {
  same_length(truth.size(), predicted.size());
  const auto hits = std::inner_product(
      truth.begin(), truth.end(), predicted.begin(), int64_t{0}, std::plus<>(), std::equal_to<>());
  return truth.empty() ? kNaN : static_cast<double>(hits) / static_cast<double>(truth.size());
}

ClassScores binary_scores(Classes truth, Classes predicted, int64_t positive) {
  for (const auto& [label, counts] : count_classes(truth, predicted)) {
    if (label == positive) {
      return scores_of(counts);
    }
  }
  return {};
}

ClassScores class_scores(Classes truth, Classes predicted, Average how) {
  std::vector<ClassCounts> classes;
  for (const auto& [label, counts] : count_classes(truth, predicted)) {
    classes.push_back(counts);
  }
  return average(classes, how);
}

std::vector<std::pair<int64_t, ClassScores>> scores_by_class(Classes truth, Classes predicted) {
  std::vector<std::pair<int64_t, ClassScores>> scores;
  for (const auto& [label, counts] : count_classes(truth, predicted)) {
    scores.emplace_back(label, scores_of(counts));
  }
  return scores;
}

// Covariances of the indicators of the classes, all times n^2 (Gorodkin 2004, equation 8).
double matthews_correlation(Classes truth, Classes predicted) {
  double hits = 0, both = 0, truth_squares = 0, predicted_squares = 0;
  for (const auto& [label, counts] : count_classes(truth, predicted)) {
    const auto t = static_cast<double>(counts.truth), p = static_cast<double>(counts.predicted);
    hits += static_cast<double>(counts.hits);
    both += t * p;
    truth_squares += t * t;
    predicted_squares += p * p;
  }
  const auto n = static_cast<double>(truth.size());
  const double spread = (n * n - truth_squares) * (n * n - predicted_squares);
  return spread == 0 ? 0 : (hits * n - both) / std::sqrt(spread);
}

double subset_accuracy(const LabelSets& truth, const LabelSets& predicted) {
  same_shape(truth, predicted);
  double right = 0;
  for (int64_t i = 0; i < truth.examples(); ++i) {
    right += std::ranges::equal(truth.row(i), predicted.row(i)) ? 1 : 0;
  }
  return truth.examples() == 0 ? kNaN : right / static_cast<double>(truth.examples());
}

double hamming_loss(const LabelSets& truth, const LabelSets& predicted) {
  same_shape(truth, predicted);
  double wrong = 0;
  for (size_t i = 0; i < truth.flags.size(); ++i) {
    wrong += truth.flags[i] != predicted.flags[i] ? 1 : 0;
  }
  return truth.flags.empty() ? kNaN : wrong / static_cast<double>(truth.flags.size());
}

ClassScores label_scores(const LabelSets& truth, const LabelSets& predicted, Average how) {
  same_shape(truth, predicted);
  std::vector<ClassCounts> labels(static_cast<size_t>(truth.labels));
  for (size_t i = 0; i < truth.flags.size(); ++i) {
    labels[i % labels.size()] +=
        count_flags(std::span(truth.flags).subspan(i, 1), std::span(predicted.flags).subspan(i, 1));
  }
  return average(labels, how);
}

ClassScores example_scores(const LabelSets& truth, const LabelSets& predicted) {
  same_shape(truth, predicted);
  std::vector<ClassCounts> examples;
  for (int64_t i = 0; i < truth.examples(); ++i) {
    examples.push_back(count_flags(truth.row(i), predicted.row(i)));
  }
  return average(examples, Average::macro);
}

double roc_auc(Classes truth, std::span<const double> scores) {
  double area = 0;
  CurvePoint before;
  for (const CurvePoint& point : curve(truth, scores)) {
    area += (point.false_alarms - before.false_alarms) * 0.5 * (point.hits + before.hits);
    before = point;
  }
  const double pairs = before.hits * before.false_alarms;
  return pairs == 0 ? kNaN : area / pairs;
}

double average_precision(Classes truth, std::span<const double> scores) {
  double sum = 0;
  CurvePoint before;
  for (const CurvePoint& point : curve(truth, scores)) {
    sum += (point.hits - before.hits) * point.hits / (point.hits + point.false_alarms);
    before = point;
  }
  return ratio(sum, before.hits);
}

}  // namespace lmzoo
