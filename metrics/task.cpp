#include "metrics/task.h"

#include <algorithm>
#include <stdexcept>

#include "base/error.h"
#include "base/utf8.h"
#include "metrics/task_tables.h"

namespace lmzoo {
namespace {

template <class T>
void add_all(std::vector<T>& all, std::vector<T>&& more) {
  all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

// One for each kind.
void add_to(ClassPredictions& all, ClassPredictions&& more) {
  all.classes = std::max(all.classes, more.classes);
  add_all(all.truth, std::move(more.truth));
  add_all(all.predicted, std::move(more.predicted));
  add_all(all.scores, std::move(more.scores));
}
void add_to(LabelPredictions& all, LabelPredictions&& more) {
  all.truth.labels = all.predicted.labels = std::max(all.truth.labels, more.truth.labels);
  add_all(all.truth.flags, std::move(more.truth.flags));
  add_all(all.predicted.flags, std::move(more.predicted.flags));
}
void add_to(NumberPredictions& all, NumberPredictions&& more) {
  add_all(all.truth, std::move(more.truth));
  add_all(all.predicted, std::move(more.predicted));
}
void add_to(TagPredictions& all, TagPredictions&& more) {
  all.strict = more.strict;
  add_all(all.truth, std::move(more.truth));
  add_all(all.predicted, std::move(more.predicted));
}
void add_to(AnswerPredictions& all, AnswerPredictions&& more) {
  add_all(all.truth, std::move(more.truth));
  add_all(all.predicted, std::move(more.predicted));
  add_all(all.no_answer, std::move(more.no_answer));
}
void add_to(TextPredictions& all, TextPredictions&& more) {
  add_all(all.truth, std::move(more.truth));
  add_all(all.predicted, std::move(more.predicted));
}

MetricTable table_of(const TaskPredictions& predictions) {
  return std::visit([](const auto& kind) { return metric_table(kind); }, predictions);
}

std::vector<std::string> names_of(const MetricTable& table) {
  std::vector<std::string> names;
  for (const auto& [name, make] : table) {
    names.push_back(name);
  }
  return names;
}

const MetricEntry& entry_of(const MetricTable& table, const std::string& name) {
  const auto found =
      std::find_if(table.begin(), table.end(), [&](const MetricEntry& entry) { return entry.name == name; });
  if (found == table.end()) {
    std::string legal;
    for (const MetricEntry& entry : table) {
      legal += (legal.empty() ? "" : ", ") + entry.name;
    }
    throw InputError("this task has no metric '" + printable(name) + "'; legal: " + legal);
  }
  return *found;
}

}  // namespace

int64_t example_count(const TaskPredictions& predictions) {
  return std::visit(
      [](const auto& kind) -> int64_t {
        if constexpr (std::is_same_v<std::decay_t<decltype(kind)>, LabelPredictions>) {
          return kind.truth.examples();
        } else {
          return static_cast<int64_t>(kind.truth.size());
        }
      },
      predictions);
}

void append(TaskPredictions& all, TaskPredictions&& more) {
  if (all.index() != more.index()) {
    throw std::logic_error("append: predictions of two kinds");
  }
  std::visit([&](auto& kind) { add_to(kind, std::get<std::decay_t<decltype(kind)>>(std::move(more))); }, all);
}

TaskPredictions side_by_side(const TaskPredictions& first, const TaskPredictions& second) {
  const bool same = first.index() == second.index() &&
                    std::visit(
                        [&](const auto& kind) {
                          return kind.truth == std::get<std::decay_t<decltype(kind)>>(second).truth;
                        },
                        first);
  if (!same) {
    throw InputError("the two did not answer the same examples: what is expected of them differs");
  }
  TaskPredictions both = first, more = second;
  append(both, std::move(more));
  return both;
}

std::vector<std::string> metric_names(const TaskPredictions& predictions) {
  return names_of(table_of(predictions));
}

std::vector<std::string> usual_metric_names(const TaskPredictions& predictions) {
  static const std::vector<std::string> kUnusual{"precision",
                                                 "recall",
                                                 "f1_macro",
                                                 "f1_micro",
                                                 "f1_weighted",
                                                 "f1_samples",
                                                 "precision_micro",
                                                 "recall_micro",
                                                 "roc_auc",
                                                 "mse",
                                                 "mae",
                                                 "average_precision",
                                                 "best_f1_threshold",
                                                 "best_exact_match_threshold",
                                                 "squad_exact_match"};
  std::vector<std::string> names = metric_names(predictions);
  if (!std::holds_alternative<LabelPredictions>(predictions)) {
    std::erase_if(names, [](const std::string& name) {
      return std::find(kUnusual.begin(), kUnusual.end(), name) != kUnusual.end();
    });
  }
  return names;
}

const std::vector<std::string>& all_metric_names() {
  static const std::vector<std::string> all = [] {
    const TaskPredictions kinds[] = {
        ClassPredictions{.classes = 2, .truth = {0}, .predicted = {0}, .scores = {0}},
        LabelPredictions{},
        NumberPredictions{},
        TagPredictions{},
        AnswerPredictions{.truth = {{}}, .predicted = {""}, .no_answer = {0}},
        TextPredictions{}};
    std::vector<std::string> names;
    for (const TaskPredictions& kind : kinds) {
      for (const std::string& name : metric_names(kind)) {
        if (std::find(names.begin(), names.end(), name) == names.end()) {
          names.push_back(name);
        }
      }
    }
    return names;
  }();
  return all;
}

NamedNumbers task_metrics(const TaskPredictions& predictions, std::span<const std::string> names) {
  const MetricTable table = table_of(predictions);
  const std::vector<std::string> every = names_of(table);
  std::vector<int64_t> answers(static_cast<size_t>(example_count(predictions)));
  for (size_t i = 0; i < answers.size(); ++i) {
    answers[i] = static_cast<int64_t>(i);
  }
  NamedNumbers numbers;
  for (const std::string& name : names.empty() ? std::span<const std::string>(every) : names) {
    numbers.emplace_back(name, entry_of(table, name).make()(answers));
  }
  return numbers;
}

ScoreOf metric_of(const TaskPredictions& predictions, const std::string& name) {
  return entry_of(table_of(predictions), name).make();
}

bool less_is_better(const std::string& metric) {
  for (const char* name : {"loss", "perplexity", "bits_per_byte", "hamming_loss", "mse", "mae"}) {
    if (metric == name) {
      return true;
    }
  }
  return false;
}

}  // namespace lmzoo
