// Scores of classes, as scikit-learn defines them: a ratio whose denominator is zero is 0.
//
// Sources: precision, recall, F: van Rijsbergen, "Information Retrieval", 1979; MCC: Matthews 1975, for
// several classes Gorodkin 2004; areas under curves: Hanley and McNeil 1982 (ROC), Davis and Goadrich 2006.
//
// Legend: n examples, L labels.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace lmzoo {

// How scores of several classes become one: of counts over all classes (micro), the mean over classes
// (macro), or the mean weighted by how often each is true (weighted).
enum class Average { micro, macro, weighted };

struct ClassScores {
  double precision = 0;
  double recall = 0;
  double f1 = 0;
  int64_t support = 0;  // how many are true
};

// What one class has: found and true, found, true.
struct ClassCounts {
  int64_t hits = 0;
  int64_t predicted = 0;
  int64_t truth = 0;

  ClassCounts& operator+=(const ClassCounts& more) {
    hits += more.hits;
    predicted += more.predicted;
    truth += more.truth;
    return *this;
  }
  bool operator==(const ClassCounts&) const = default;
};
ClassScores scores_of(const ClassCounts& counts);
// Over no class at all everything is 0.
ClassScores average(std::span<const ClassCounts> classes, Average how);

// One class of many for each example. Lists of different lengths are a std::logic_error; of nothing accuracy
// is NaN. A class that is neither true nor predicted anywhere takes no part in an average.
using Classes = std::span<const int64_t>;
double accuracy(Classes truth, Classes predicted);
ClassScores binary_scores(Classes truth, Classes predicted, int64_t positive = 1);
ClassScores class_scores(Classes truth, Classes predicted, Average how);
// Ascending by class.
std::vector<std::pair<int64_t, ClassScores>> scores_by_class(Classes truth, Classes predicted);
// In [-1, 1]; 0 when one of the lists has one class only.
double matthews_correlation(Classes truth, Classes predicted);

// Several labels for each example: rows of L flags, one after the other [n, L].
struct LabelSets {
  int64_t labels = 0;          // L
  std::vector<uint8_t> flags;  // 0 or 1

  bool operator==(const LabelSets&) const = default;
  int64_t examples() const { return labels > 0 ? static_cast<int64_t>(flags.size()) / labels : 0; }
  std::span<const uint8_t> row(int64_t example) const {
    return std::span(flags).subspan(static_cast<size_t>(example * labels), static_cast<size_t>(labels));
  }
};
// The share of examples with every label right.
double subset_accuracy(const LabelSets& truth, const LabelSets& predicted);
// The share of flags that are wrong.
double hamming_loss(const LabelSets& truth, const LabelSets& predicted);
ClassScores label_scores(const LabelSets& truth, const LabelSets& predicted, Average how);
// The mean over examples of each one's own scores.
ClassScores example_scores(const LabelSets& truth, const LabelSets& predicted);

// Two classes told apart by a score: truth is 0 or 1. Equal scores count as one step of the curve.
// NaN when all are of one class.
double roc_auc(Classes truth, std::span<const double> scores);
// Sum over thresholds of precision times the step of recall; 0 without a positive example.
double average_precision(Classes truth, std::span<const double> scores);

}  // namespace lmzoo
