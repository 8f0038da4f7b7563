#include "metrics/question_answering.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "metrics/characters.h"

namespace lmzoo {
namespace {

bool is_article(std::u32string_view word) { return word == U"a" || word == U"an" || word == U"the"; }

// Words are runs of letters and digits here: "a-b" has the article a, "a_b" has none.
std::u32string without_articles(std::u32string_view text) {
  std::u32string rest;
  for (size_t begin = 0; begin < text.size();) {
    size_t end = begin;
    while (end < text.size() && is_word(text[end])) {
      ++end;
    }
    const std::u32string_view word = text.substr(begin, end - begin);
    rest += is_article(word) ? std::u32string_view(U" ") : word;
    if (end < text.size()) {
      rest += text[end++];
    }
    begin = end;
  }
  return rest;
}

std::vector<std::string> answer_words(std::string_view text) {
  std::u32string characters = decoded(lower_case(text));
  std::erase_if(characters, is_ascii_punctuation);
  return split_words(encoded(without_articles(characters)));
}

// Words in common, each as often as both have it.
int64_t common_words(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  std::map<std::string_view, int64_t> left;
  for (const std::string& word : a) {
    ++left[word];
  }
  int64_t common = 0;
  for (const std::string& word : b) {
    common += left[word]-- > 0 ? 1 : 0;
  }
  return common;
}

double f1_of_words(const std::vector<std::string>& predicted, const std::vector<std::string>& truth) {
  if (predicted.empty() || truth.empty()) {
    return predicted.empty() && truth.empty() ? 1 : 0;
  }
  const auto common = static_cast<double>(common_words(predicted, truth));
  return 2 * common / static_cast<double>(predicted.size() + truth.size());
}

double percent(double sum, int64_t count) { return 100 * sum / static_cast<double>(count); }

std::optional<SquadPart> part_of(std::span<const AnsweredQuestion> questions,
                                 double threshold,
                                 const std::optional<bool>& with_answer) {
  AnswerScores sum;
  int64_t total = 0;
  for (const AnsweredQuestion& question : questions) {
    if (with_answer && question.has_answer != *with_answer) {
      continue;
    }
    const bool silent = question.no_answer > threshold;
    sum.exact += silent ? !question.has_answer : question.scores.exact;
    sum.f1 += silent ? !question.has_answer : question.scores.f1;
    ++total;
  }
  if (total == 0) {
    return std::nullopt;
  }
  return SquadPart{.exact = percent(sum.exact, total), .f1 = percent(sum.f1, total), .total = total};
}

}  // namespace

std::string normalize_answer(std::string_view text) {
  std::string joined;
  for (const std::string& word : answer_words(text)) {
    joined += (joined.empty() ? "" : " ") + word;
  }
  return joined;
}

double answer_match(std::string_view predicted, std::string_view truth) {
  return answer_words(predicted) == answer_words(truth) ? 1 : 0;
}

double answer_f1(std::string_view predicted, std::string_view truth) {
  return f1_of_words(answer_words(predicted), answer_words(truth));
}

bool has_answer(std::span<const std::string> truths) { return !truths.empty(); }

AnswerScores score_answer(std::string_view predicted, std::span<const std::string> truths) {
  const std::vector<std::string> words = answer_words(predicted);
  AnswerScores best;
  bool any = false;
  for (const std::string& truth : truths) {
    const std::vector<std::string> wanted = answer_words(truth);
    if (wanted.empty()) {
      continue;
    }
    any = true;
    best.exact = std::max(best.exact, words == wanted ? 1.0 : 0.0);
    best.f1 = std::max(best.f1, f1_of_words(words, wanted));
  }
  const double silent = words.empty() ? 1 : 0;
  return any ? best : AnswerScores{.exact = silent, .f1 = silent};
}

AnsweredQuestion answered_question(std::string_view predicted,
                                   std::span<const std::string> truths,
                                   double no_answer) {
  return {.scores = score_answer(predicted, truths),
          .has_answer = has_answer(truths),
          .predicted_none = predicted.empty(),
          .no_answer = no_answer};
}

SquadScores squad_scores(std::span<const AnsweredQuestion> questions, double threshold) {
  return {.all = part_of(questions, threshold, std::nullopt).value_or(SquadPart{}),
          .with_answer = part_of(questions, threshold, true),
          .without_answer = part_of(questions, threshold, false)};
}

// Begins with silence everywhere, and lets the questions answer from the surest of an answer on.
BestThreshold best_threshold(std::span<const AnsweredQuestion> questions) {
  std::vector<size_t> order(questions.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return questions[a].no_answer < questions[b].no_answer;
  });
  const auto silent = static_cast<double>(
      std::count_if(questions.begin(), questions.end(), [](const AnsweredQuestion& question) {
        return !question.has_answer;
      }));
  AnswerScores now{silent, silent}, best = now;
  BestThreshold found;
  for (const size_t i : order) {
    const AnsweredQuestion& question = questions[i];
    const double lost = question.predicted_none ? 0 : -1;
    now.exact += question.has_answer ? question.scores.exact : lost;
    now.f1 += question.has_answer ? question.scores.f1 : lost;
    if (now.exact > best.exact) {
      best.exact = now.exact;
      found.exact_threshold = question.no_answer;
    }
    if (now.f1 > best.f1) {
      best.f1 = now.f1;
      found.f1_threshold = question.no_answer;
    }
  }
  const auto total = static_cast<int64_t>(questions.size());
  found.exact = total == 0 ? 0 : percent(best.exact, total);
  found.f1 = total == 0 ? 0 : percent(best.f1, total);
  return found;
}

}  // namespace lmzoo
