#include "metrics/task_tables.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "metrics/bleu.h"
#include "metrics/chrf.h"
#include "metrics/correlation.h"
#include "metrics/question_answering.h"
#include "metrics/rouge.h"

namespace lmzoo {
namespace {

using Answers = std::span<const int64_t>;
constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

template <class T>
std::vector<T> chosen(const std::vector<T>& all, Answers answers) {
  std::vector<T> some;
  some.reserve(answers.size());
  for (const int64_t answer : answers) {
    some.push_back(all[static_cast<size_t>(answer)]);
  }
  return some;
}

LabelSets chosen(const LabelSets& all, Answers answers) {
  LabelSets some{.labels = all.labels, .flags = {}};
  for (const int64_t answer : answers) {
    const auto row = all.row(answer);
    some.flags.insert(some.flags.end(), row.begin(), row.end());
  }
  return some;
}

// A function of truth and prediction, as an entry that chooses from both.
template <class Kind, class Function>
MetricEntry of_both(const std::string& name, std::shared_ptr<const Kind> all, Function function) {
  return {.name = name, .make = [all = std::move(all), function]() -> ScoreOf {
            return [all, function](Answers answers) {
              return function(chosen(all->truth, answers), chosen(all->predicted, answers));
            };
          }};
}

// Made once, when it is asked for first.
template <class T>
using Lazy = std::function<std::shared_ptr<const T>()>;
template <class Make>
auto lazy(Make make) {
  using T = std::decay_t<decltype(make())>;
  return [make, made = std::make_shared<std::shared_ptr<const T>>()] {
    if (*made == nullptr) {
      *made = std::make_shared<const T>(make());
    }
    return *made;
  };
}

// A function of what is known of each example, for the chosen ones together.
template <class T, class Function>
MetricEntry of_each(const std::string& name, Lazy<std::vector<T>> known, Function function) {
  return {.name = name, .make = [known = std::move(known), function]() -> ScoreOf {
            return [each = known(), function](Answers answers) { return function(*each, answers); };
          }};
}

// The mean of a number that each example has.
template <class T, class Number>
auto mean_of(Number number) {
  return [number](const std::vector<T>& each, Answers answers) {
    double sum = 0;
    for (const int64_t answer : answers) {
      sum += number(each[static_cast<size_t>(answer)]);
    }
    return answers.empty() ? kUnknown : sum / static_cast<double>(answers.size());
  };
}

// The sum of counts that each example has.
template <class T>
T sum_of(const std::vector<T>& each, Answers answers) {
  T sum{};
  for (const int64_t answer : answers) {
    sum += each[static_cast<size_t>(answer)];
  }
  return sum;
}

using Numbers = const std::vector<double>&;

double mean_error(Numbers truth, Numbers predicted, double (*size)(double)) {
  double sum = 0;
  for (size_t i = 0; i < truth.size(); ++i) {
    sum += size(predicted[i] - truth[i]);
  }
  return truth.empty() ? kUnknown : sum / static_cast<double>(truth.size());
}

// ---- tags

struct TaggedSentence {
  EntityCounts entities;
  double right = 0;  // tags
  double tags = 0;
};

std::vector<TaggedSentence> tagged_sentences(const TagPredictions& all) {
  std::vector<TaggedSentence> sentences;
  for (size_t i = 0; i < all.truth.size(); ++i) {
    TaggedSentence sentence{.entities = count_entities(all.truth[i], all.predicted[i], all.strict)};
    for (size_t k = 0; k < all.truth[i].size(); ++k) {
      sentence.right += all.truth[i][k] == all.predicted[i][k] ? 1 : 0;
    }
    sentence.tags = static_cast<double>(all.truth[i].size());
    sentences.push_back(std::move(sentence));
  }
  return sentences;
}

EntityScores chosen_entities(const std::vector<TaggedSentence>& each, Answers answers) {
  EntityCounts sum;
  for (const int64_t answer : answers) {
    add_counts(sum, each[static_cast<size_t>(answer)].entities);
  }
  return entity_scores(sum);
}

double tag_accuracy(const std::vector<TaggedSentence>& each, Answers answers) {
  double right = 0, tags = 0;
  for (const int64_t answer : answers) {
    right += each[static_cast<size_t>(answer)].right;
    tags += each[static_cast<size_t>(answer)].tags;
  }
  return tags == 0 ? kUnknown : right / tags;
}

// ---- answers

std::vector<AnsweredQuestion> answered_questions(const AnswerPredictions& all) {
  std::vector<AnsweredQuestion> questions;
  for (size_t i = 0; i < all.truth.size(); ++i) {
    questions.push_back(
        answered_question(all.predicted[i], all.truth[i], all.no_answer.empty() ? 0 : all.no_answer[i]));
  }
  return questions;
}

// A score of the official script over the chosen questions. Predictions are final: "no answer" is an empty
// one.
template <class Part>
auto squad(Part part) {
  return [part](const std::vector<AnsweredQuestion>& each, Answers answers) {
    return part(squad_scores(chosen(each, answers), std::numeric_limits<double>::infinity()));
  };
}
template <class Part>
auto best(Part part) {
  return [part](const std::vector<AnsweredQuestion>& each, Answers answers) {
    return part(best_threshold(chosen(each, answers)));
  };
}
double exact_of(const std::optional<SquadPart>& part) { return part ? part->exact : kUnknown; }
double f1_of(const std::optional<SquadPart>& part) { return part ? part->f1 : kUnknown; }

// ---- texts

std::vector<BleuCounts> bleu_of_each(const TextPredictions& all) {
  std::vector<BleuCounts> counts;
  for (size_t i = 0; i < all.truth.size(); ++i) {
    counts.push_back(bleu_counts(all.predicted[i], all.truth[i]));
  }
  return counts;
}

struct SummableChrf {
  ChrfCounts orders;
  SummableChrf& operator+=(const SummableChrf& more) {
    orders.resize(std::max(orders.size(), more.orders.size()));
    for (size_t n = 0; n < more.orders.size(); ++n) {
      orders[n] += more.orders[n];
    }
    return *this;
  }
};

std::vector<SummableChrf> chrf_of_each(const TextPredictions& all) {
  std::vector<SummableChrf> counts;
  for (size_t i = 0; i < all.truth.size(); ++i) {
    counts.push_back({chrf_counts(all.predicted[i], all.truth[i])});
  }
  return counts;
}

std::vector<Rouge> rouge_of_each(const TextPredictions& all) {
  std::vector<Rouge> scores;
  for (size_t i = 0; i < all.truth.size(); ++i) {
    scores.push_back(rouge(all.truth[i], all.predicted[i]));
  }
  return scores;
}

// 1 for each text that is one of its references, byte for byte.
std::vector<double> matches_of_each(const TextPredictions& all) {
  std::vector<double> matches;
  for (size_t i = 0; i < all.truth.size(); ++i) {
    matches.push_back(std::ranges::find(all.truth[i], all.predicted[i]) != all.truth[i].end() ? 1 : 0);
  }
  return matches;
}

// The same as SQuAD's script sees it: without case, punctuation and articles.
std::vector<double> squad_matches_of_each(const TextPredictions& all) {
  std::vector<double> matches;
  for (size_t i = 0; i < all.truth.size(); ++i) {
    matches.push_back(score_answer(all.predicted[i], all.truth[i]).exact);
  }
  return matches;
}

}  // namespace

MetricTable metric_table(const ClassPredictions& predictions) {
  const auto all = std::make_shared<const ClassPredictions>(predictions);
  const bool binary = predictions.classes == 2;
  const auto usual = [binary](Classes t, Classes p) {
    return binary ? binary_scores(t, p) : class_scores(t, p, Average::macro);
  };
  MetricTable table{
      of_both("accuracy", all, [](Classes t, Classes p) { return accuracy(t, p); }),
      of_both("f1", all, [usual](Classes t, Classes p) { return usual(t, p).f1; }),
      of_both("precision", all, [usual](Classes t, Classes p) { return usual(t, p).precision; }),
      of_both("recall", all, [usual](Classes t, Classes p) { return usual(t, p).recall; }),
      of_both("f1_macro", all, [](Classes t, Classes p) { return class_scores(t, p, Average::macro).f1; }),
      of_both("f1_micro", all, [](Classes t, Classes p) { return class_scores(t, p, Average::micro).f1; }),
      of_both(
          "f1_weighted", all, [](Classes t, Classes p) { return class_scores(t, p, Average::weighted).f1; }),
      of_both("matthews_correlation", all, [](Classes t, Classes p) { return matthews_correlation(t, p); })};
  if (binary && !predictions.scores.empty()) {
    const auto of_scores = [all](const std::string& name,
                                 double (*function)(Classes, std::span<const double>)) {
      return MetricEntry{.name = name, .make = [all, function]() -> ScoreOf {
                           return [all, function](Answers answers) {
                             return function(chosen(all->truth, answers), chosen(all->scores, answers));
                           };
                         }};
    };
    table.push_back(of_scores("roc_auc", roc_auc));
    table.push_back(of_scores("average_precision", average_precision));
  }
  return table;
}

MetricTable metric_table(const LabelPredictions& predictions) {
  const auto all = std::make_shared<const LabelPredictions>(predictions);
  using Sets = const LabelSets&;
  return {
      of_both("f1_micro", all, [](Sets t, Sets p) { return label_scores(t, p, Average::micro).f1; }),
      of_both("f1_macro", all, [](Sets t, Sets p) { return label_scores(t, p, Average::macro).f1; }),
      of_both("f1_weighted", all, [](Sets t, Sets p) { return label_scores(t, p, Average::weighted).f1; }),
      of_both("f1_samples", all, [](Sets t, Sets p) { return example_scores(t, p).f1; }),
      of_both("precision_micro",
              all,
              [](Sets t, Sets p) { return label_scores(t, p, Average::micro).precision; }),
      of_both("recall_micro", all, [](Sets t, Sets p) { return label_scores(t, p, Average::micro).recall; }),
      of_both("subset_accuracy", all, [](Sets t, Sets p) { return subset_accuracy(t, p); }),
      of_both("hamming_loss", all, [](Sets t, Sets p) { return hamming_loss(t, p); })};
}

MetricTable metric_table(const NumberPredictions& predictions) {
  const auto all = std::make_shared<const NumberPredictions>(predictions);
  return {
      of_both("pearson", all, [](Numbers t, Numbers p) { return pearson(t, p); }),
      of_both("spearmanr", all, [](Numbers t, Numbers p) { return spearman(t, p); }),
      of_both(
          "mse", all, [](Numbers t, Numbers p) { return mean_error(t, p, [](double e) { return e * e; }); }),
      of_both("mae", all, [](Numbers t, Numbers p) {
        return mean_error(t, p, [](double e) { return std::abs(e); });
      })};
}

MetricTable metric_table(const TagPredictions& predictions) {
  using Each = const std::vector<TaggedSentence>&;
  const Lazy<std::vector<TaggedSentence>> known =
      lazy([predictions] { return tagged_sentences(predictions); });
  return {
      of_each("overall_f1", known, [](Each e, Answers a) { return chosen_entities(e, a).micro.f1; }),
      of_each("overall_precision",
              known,
              [](Each e, Answers a) { return chosen_entities(e, a).micro.precision; }),
      of_each("overall_recall", known, [](Each e, Answers a) { return chosen_entities(e, a).micro.recall; }),
      of_each("overall_accuracy", known, tag_accuracy),
      of_each("f1_macro", known, [](Each e, Answers a) { return chosen_entities(e, a).macro.f1; }),
      of_each("f1_weighted", known, [](Each e, Answers a) { return chosen_entities(e, a).weighted.f1; })};
}

MetricTable metric_table(const AnswerPredictions& predictions) {
  using Scores = const SquadScores&;
  using Best = const BestThreshold&;
  const Lazy<std::vector<AnsweredQuestion>> known =
      lazy([predictions] { return answered_questions(predictions); });
  MetricTable table{of_each("exact_match", known, squad([](Scores s) { return s.all.exact; })),
                    of_each("f1", known, squad([](Scores s) { return s.all.f1; }))};
  const bool some_unanswerable = std::any_of(predictions.truth.begin(),
                                             predictions.truth.end(),
                                             [](const auto& truths) { return !has_answer(truths); });
  if (some_unanswerable) {
    table.push_back(
        of_each("has_answer_exact_match", known, squad([](Scores s) { return exact_of(s.with_answer); })));
    table.push_back(of_each("has_answer_f1", known, squad([](Scores s) { return f1_of(s.with_answer); })));
    table.push_back(
        of_each("no_answer_accuracy", known, squad([](Scores s) { return exact_of(s.without_answer); })));
  }
  if (some_unanswerable && !predictions.no_answer.empty()) {
    table.push_back(of_each("best_exact_match", known, best([](Best b) { return b.exact; })));
    table.push_back(
        of_each("best_exact_match_threshold", known, best([](Best b) { return b.exact_threshold; })));
    table.push_back(of_each("best_f1", known, best([](Best b) { return b.f1; })));
    table.push_back(of_each("best_f1_threshold", known, best([](Best b) { return b.f1_threshold; })));
  }
  return table;
}

MetricTable metric_table(const TextPredictions& predictions) {
  const auto all = std::make_shared<const TextPredictions>(predictions);
  const Lazy<std::vector<BleuCounts>> bleus = lazy([all] { return bleu_of_each(*all); });
  const Lazy<std::vector<SummableChrf>> chrfs = lazy([all] { return chrf_of_each(*all); });
  const Lazy<std::vector<Rouge>> rouges = lazy([all] { return rouge_of_each(*all); });
  const Lazy<std::vector<double>> matches = lazy([all] { return matches_of_each(*all); });
  const Lazy<std::vector<double>> squad_matches = lazy([all] { return squad_matches_of_each(*all); });
  const auto share = mean_of<double>([](double match) { return match; });
  return {of_each("bleu",
                  bleus,
                  [](const std::vector<BleuCounts>& each, Answers answers) {
                    return bleu_score(sum_of(each, answers)).score;
                  }),
          of_each("chrf",
                  chrfs,
                  [](const std::vector<SummableChrf>& each, Answers answers) {
                    return chrf_score(sum_of(each, answers).orders);
                  }),
          of_each("rouge1", rouges, mean_of<Rouge>([](const Rouge& r) { return r.rouge1.f1; })),
          of_each("rouge2", rouges, mean_of<Rouge>([](const Rouge& r) { return r.rouge2.f1; })),
          of_each("rougeL", rouges, mean_of<Rouge>([](const Rouge& r) { return r.rougeL.f1; })),
          of_each("rougeLsum", rouges, mean_of<Rouge>([](const Rouge& r) { return r.rougeLsum.f1; })),
          of_each("exact_match", matches, share),
          of_each("squad_exact_match", squad_matches, share)};
}

}  // namespace lmzoo
