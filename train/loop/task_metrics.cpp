#include "train/loop/task_metrics.h"

#include <algorithm>

#include "base/check.h"

namespace lmzoo {
namespace {

ClassPredictions class_predictions(const Predictions& predictions, size_t classes) {
  ClassPredictions made{.classes = static_cast<int64_t>(classes),
                        .truth = predictions.classes.expected,
                        .predicted = predictions.classes.given};
  const auto& rows = predictions.scores;
  const bool of_two = classes == 2 && rows.size() == made.truth.size() &&
                      std::all_of(rows.begin(), rows.end(), [](const auto& row) { return row.size() == 2; });
  for (size_t i = 0; of_two && i < rows.size(); ++i) {
    made.scores.push_back(rows[i][1]);
  }
  return made;
}

LabelSets label_sets(const std::vector<std::vector<int64_t>>& sets, size_t classes) {
  LabelSets made{.labels = static_cast<int64_t>(classes), .flags = {}};
  made.flags.resize(sets.size() * classes);
  for (size_t i = 0; i < sets.size(); ++i) {
    for (const int64_t label : sets[i]) {
      made.flags.at(i * classes + static_cast<size_t>(label)) = 1;
    }
  }
  return made;
}

std::vector<std::vector<std::string>> tag_names(const std::vector<std::vector<int64_t>>& sentences,
                                                const std::vector<std::string>& names) {
  std::vector<std::vector<std::string>> made;
  for (const std::vector<int64_t>& sentence : sentences) {
    std::vector<std::string>& tags = made.emplace_back();
    for (const int64_t tag : sentence) {
      tags.push_back(names.at(static_cast<size_t>(tag)));
    }
  }
  return made;
}

// Tags of parts of speech and the like are no entities: each word is then right or wrong for itself.
bool are_entities(const std::vector<std::string>& names) {
  return std::all_of(names.begin(), names.end(), [](const std::string& name) {
    return name == "O" ||
           (name.size() > 2 && name[1] == '-' && std::string("BIES").find(name[0]) != std::string::npos);
  });
}

TaskPredictions tag_predictions(const Predictions& predictions, const std::vector<std::string>& names) {
  if (are_entities(names)) {
    return TagPredictions{.truth = tag_names(predictions.tags.expected, names),
                          .predicted = tag_names(predictions.tags.given, names)};
  }
  ClassPredictions words{.classes = static_cast<int64_t>(names.size())};
  for (size_t i = 0; i < predictions.tags.given.size(); ++i) {
    const auto& given = predictions.tags.given[i];
    const auto& expected = predictions.tags.expected[i];
    words.predicted.insert(words.predicted.end(), given.begin(), given.end());
    words.truth.insert(words.truth.end(), expected.begin(), expected.end());
  }
  return words;
}

AnswerPredictions answer_predictions(const std::vector<PassageAnswer>& answers) {
  AnswerPredictions made;
  for (const PassageAnswer& answer : answers) {
    std::vector<std::string>& truth = made.truth.emplace_back();
    for (const ByteSpan& span : answer.passage->answers) {
      truth.push_back(answer.passage->part(span));
    }
    const auto& best = answer.best;
    const auto silent = std::find_if(
        best.begin(), best.end(), [](const AnswerCandidate& candidate) { return candidate.text.empty(); });
    made.predicted.push_back(best.empty() ? "" : best.front().text);
    made.no_answer.push_back(silent == best.end() ? 0 : silent->probability);
  }
  return made;
}

}  // namespace

std::optional<TaskPredictions> task_predictions(const Predictions& predictions,
                                                const std::vector<std::string>& classes) {
  if (!predictions.classes.given.empty()) {
    return class_predictions(predictions, classes.size());
  }
  if (!predictions.sets.given.empty()) {
    return LabelPredictions{.truth = label_sets(predictions.sets.expected, classes.size()),
                            .predicted = label_sets(predictions.sets.given, classes.size())};
  }
  if (!predictions.values.given.empty()) {
    return NumberPredictions{.truth = predictions.values.expected, .predicted = predictions.values.given};
  }
  if (!predictions.tags.given.empty()) {
    return tag_predictions(predictions, classes);
  }
  if (!predictions.answers.empty()) {
    return answer_predictions(predictions.answers);
  }
  return std::nullopt;
}

}  // namespace lmzoo
