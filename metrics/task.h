// From a task's predictions to numbers under their usual names.
//
//   one class         accuracy f1 f1_macro f1_micro f1_weighted precision recall matthews_correlation
//                     (f1, precision, recall: of class 1 with two classes, else macro), roc_auc and
//                     average_precision with two classes and scores
//   several labels    f1_micro f1_macro f1_weighted f1_samples precision_micro recall_micro subset_accuracy
//                     hamming_loss
//   a number          pearson spearmanr mse mae
//   tags              overall_f1 overall_precision overall_recall overall_accuracy f1_macro f1_weighted
//   answers           exact_match f1, in percent; with unanswerable questions also has_answer_*, no_answer_*,
//                     best_exact_match, best_f1 and their thresholds
//   texts             bleu chrf (percent), rouge1 rouge2 rougeL rougeLsum exact_match squad_exact_match (in [0, 1])
//
// Any of them can be computed for a selection of the examples, which is what the paired bootstrap needs.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "metrics/bootstrap.h"
#include "metrics/classification.h"
#include "metrics/seqeval.h"

namespace lmzoo {

// n examples each.
struct ClassPredictions {
  int64_t classes = 0;  // C
  std::vector<int64_t> truth{}, predicted{};
  std::vector<double> scores{};  // of class 1, for two classes; or empty
};
struct LabelPredictions {
  LabelSets truth{}, predicted{};
};
struct NumberPredictions {
  std::vector<double> truth{}, predicted{};
};
struct TagPredictions {
  std::vector<std::vector<std::string>> truth{}, predicted{};  // a list for each sentence, of the same length
  std::optional<TagScheme> strict{};
};
struct AnswerPredictions {
  std::vector<std::vector<std::string>> truth{};  // all right answers; none: the question has no answer
  std::vector<std::string> predicted{};           // empty: "no answer"
  std::vector<double> no_answer{};                // how sure the model is that there is none; or empty
};
struct TextPredictions {
  std::vector<std::vector<std::string>> truth{};  // references, at least one
  std::vector<std::string> predicted{};
};
using TaskPredictions = std::variant<ClassPredictions,
                                     LabelPredictions,
                                     NumberPredictions,
                                     TagPredictions,
                                     AnswerPredictions,
                                     TextPredictions>;

int64_t example_count(const TaskPredictions& predictions);
// Adds examples at the end; both of one kind, else std::logic_error.
void append(TaskPredictions& all, TaskPredictions&& more);

// Two systems' predictions of the same examples, one after the other, as paired tests want them
// (bootstrap.h). InputError when what is true is not the same.
TaskPredictions side_by_side(const TaskPredictions& first, const TaskPredictions& second);

// What can be computed of these predictions, in the order of the table above.
std::vector<std::string> metric_names(const TaskPredictions& predictions);
// Those that papers tell: of classes accuracy, f1 and matthews_correlation.
std::vector<std::string> usual_metric_names(const TaskPredictions& predictions);
// Every name that any kind of predictions has.
const std::vector<std::string>& all_metric_names();

using NamedNumbers = std::vector<std::pair<std::string, double>>;
// `names`: which of them, in this order; empty: all. A name that these predictions do not have is an
// InputError that tells the legal ones.
NamedNumbers task_metrics(const TaskPredictions& predictions, std::span<const std::string> names = {});

// One metric as a function of chosen examples. It owns what it needs.
ScoreOf metric_of(const TaskPredictions& predictions, const std::string& name);

// Whether less is better: of a loss or an error.
bool less_is_better(const std::string& metric);

}  // namespace lmzoo
