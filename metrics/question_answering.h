// Answers to questions, scored as SQuAD's official scripts do: exact match and F1 of the words, after lower
// case, without punctuation, articles and repeated white space; against the best of several true answers.
// Aggregates are in percent, as those scripts print them.
//
// Sources: Rajpurkar et al. 2016 (1.1) and 2018 (2.0), evaluate-v1.1.py and evaluate-v2.0.py. For an answer
// of no words the rule of 2.0 holds in both: 1 when both have none, else 0.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lmzoo {

std::string normalize_answer(std::string_view text);
// 0 or 1.
double answer_match(std::string_view predicted, std::string_view truth);
// In [0, 1].
double answer_f1(std::string_view predicted, std::string_view truth);

struct AnswerScores {
  double exact = 0;
  double f1 = 0;
};
// The best over the true answers, each score on its own. Those of no words do not count; with none left an
// empty prediction is right.
AnswerScores score_answer(std::string_view predicted, std::span<const std::string> truths);
// Whether the data say an answer, even one of no words, as the official script counts it.
bool has_answer(std::span<const std::string> truths);

struct AnsweredQuestion {
  AnswerScores scores;
  bool has_answer = true;
  bool predicted_none = false;  // the prediction is empty
  double no_answer = 0;         // the model's score that there is no answer: larger is surer
};
AnsweredQuestion answered_question(std::string_view predicted,
                                   std::span<const std::string> truths,
                                   double no_answer = 0);

// In percent, over all questions and over those with and without an answer (absent: there are none).
struct SquadPart {
  double exact = 0;
  double f1 = 0;
  int64_t total = 0;
};
struct SquadScores {
  SquadPart all;
  std::optional<SquadPart> with_answer, without_answer;
};
// A question whose `no_answer` exceeds `threshold` counts as answered with nothing.
SquadScores squad_scores(std::span<const AnsweredQuestion> questions, double threshold = 1.0);

// The threshold that scores best on these very questions, and that score in percent.
struct BestThreshold {
  double exact = 0;
  double exact_threshold = 0;
  double f1 = 0;
  double f1_threshold = 0;
};
BestThreshold best_threshold(std::span<const AnsweredQuestion> questions);

}  // namespace lmzoo
