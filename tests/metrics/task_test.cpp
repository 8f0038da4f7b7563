#include "metrics/task.h"

#include "base/error.h"
#include "metrics/golden.h"
#include "support/catch.h"

using namespace lmzoo;

namespace {

double value(const NamedNumbers& numbers, const std::string& name) {
  for (const auto& [known, number] : numbers) {
    if (known == name) {
      return number;
    }
  }
  FAIL("no " << name);
  return 0;
}

std::vector<TaskPredictions> one_of_each() {
  return {
      ClassPredictions{.classes = 2, .truth = {0, 1, 1}, .predicted = {0, 1, 0}, .scores = {0.1, 0.9, 0.4}},
      ClassPredictions{.classes = 3, .truth = {0, 1, 2}, .predicted = {0, 1, 1}},
      LabelPredictions{.truth = {2, {1, 0, 0, 1}}, .predicted = {2, {1, 1, 0, 1}}},
      NumberPredictions{.truth = {1, 2, 4}, .predicted = {1, 3, 2}},
      TagPredictions{.truth = {{"B-X", "I-X"}, {"O"}}, .predicted = {{"B-X", "O"}, {"O"}}},
      AnswerPredictions{
          .truth = {{"an owl", "owls"}, {}}, .predicted = {"the owl", ""}, .no_answer = {0.2, 0.9}},
      TextPredictions{.truth = {{"the old owl runs"}}, .predicted = {"the old owl runs"}}};
}

}  // namespace

TEST_CASE("each kind of predictions has its usual numbers") {
  const auto kinds = one_of_each();
  CHECK(value(task_metrics(kinds[0]), "accuracy") == Approx(2.0 / 3));
  CHECK(value(task_metrics(kinds[0]), "f1") == Approx(2.0 / 3));
  CHECK(value(task_metrics(kinds[0]), "matthews_correlation") == Approx(0.5));
  CHECK(value(task_metrics(kinds[0]), "roc_auc") == 1);
  CHECK(value(task_metrics(kinds[1]), "f1") == Approx((1 + 2.0 / 3 + 0) / 3));
  CHECK(value(task_metrics(kinds[2]), "subset_accuracy") == 0.5);
  CHECK(value(task_metrics(kinds[3]), "spearmanr") == Approx(0.5));
  CHECK(value(task_metrics(kinds[3]), "mae") == 1);
  CHECK(value(task_metrics(kinds[4]), "overall_f1") == 0);
  CHECK(value(task_metrics(kinds[4]), "overall_accuracy") == Approx(2.0 / 3));
  CHECK(value(task_metrics(kinds[5]), "exact_match") == 100);
  CHECK(value(task_metrics(kinds[5]), "no_answer_accuracy") == 100);
  CHECK(value(task_metrics(kinds[5]), "best_f1") == 100);
  CHECK(value(task_metrics(kinds[6]), "bleu") == Approx(100));
  CHECK(value(task_metrics(kinds[6]), "rougeL") == 1);
  CHECK(value(task_metrics(kinds[6]), "chrf") == Approx(100));
}

TEST_CASE("a text matches when it is a reference to the byte, and SQuAD's match is another metric") {
  const TaskPredictions texts = TextPredictions{.truth = {{"A"}, {"the"}, {"?"}, {"B", "An."}, {"b"}},
                                                .predicted = {"An.", "An.", "An.", "An.", "B"}};
  CHECK(value(task_metrics(texts), "exact_match") == Approx(1.0 / 5));
  // Of the references "B" and "An." the script keeps those that have words.
  CHECK(value(task_metrics(texts), "squad_exact_match") == Approx(4.0 / 5));
}

TEST_CASE("every metric is the same function of all examples and of chosen ones, and is known by name") {
  for (const TaskPredictions& kind : one_of_each()) {
    std::vector<int64_t> every;
    for (int64_t i = 0; i < example_count(kind); ++i) {
      every.push_back(i);
    }
    for (const auto& [name, number] : task_metrics(kind)) {
      INFO(name);
      const double again = metric_of(kind, name)(every);
      CHECK((again == number || (std::isnan(again) && std::isnan(number))));
      const auto& all = all_metric_names();
      CHECK(std::find(all.begin(), all.end(), name) != all.end());
    }
  }
}

TEST_CASE("predictions of two batches are those of both") {
  for (const TaskPredictions& kind : one_of_each()) {
    TaskPredictions twice = kind, more = kind;
    append(twice, std::move(more));
    CHECK(example_count(twice) == 2 * example_count(kind));
    const auto once = task_metrics(kind), both = task_metrics(twice);
    for (size_t i = 0; i < once.size(); ++i) {
      INFO(once[i].first);
      CHECK(both[i].second == Approx(once[i].second));
    }
  }
  TaskPredictions numbers = NumberPredictions{};
  CHECK_THROWS_AS(append(numbers, TagPredictions{}), std::logic_error);
}

TEST_CASE("two systems stand side by side when they answered the same examples") {
  for (const TaskPredictions& kind : one_of_each()) {
    CHECK(example_count(side_by_side(kind, kind)) == 2 * example_count(kind));
  }
  const TaskPredictions one = NumberPredictions{.truth = {1}, .predicted = {1}};
  const TaskPredictions other = NumberPredictions{.truth = {2}, .predicted = {1}};
  CHECK_THROWS_AS(side_by_side(one, other), InputError);
  CHECK_THROWS_AS(side_by_side(one, TextPredictions{}), InputError);
}

TEST_CASE("the usual metrics are some of all") {
  const auto kinds = one_of_each();
  CHECK(usual_metric_names(kinds[0]) == test::Texts{"accuracy", "f1", "matthews_correlation"});
  CHECK(usual_metric_names(kinds[3]) == test::Texts{"pearson", "spearmanr"});
  for (const TaskPredictions& kind : kinds) {
    CHECK(task_metrics(kind, usual_metric_names(kind)).size() <= metric_names(kind).size());
  }
}

TEST_CASE("chosen metrics come in the order of the names, and others are refused with the legal ones") {
  const TaskPredictions numbers = NumberPredictions{.truth = {1, 2}, .predicted = {1, 2}};
  const test::Texts names{"mse", "pearson"};
  const NamedNumbers chosen = task_metrics(numbers, names);
  REQUIRE(chosen.size() == 2);
  CHECK(chosen[0].first == "mse");
  CHECK(chosen[1].second == Approx(1));
  CHECK_THROWS_WITH(task_metrics(numbers, test::Texts{"f1"}),
                    "this task has no metric 'f1'; legal: pearson, spearmanr, mse, mae");
  CHECK_THROWS_AS(metric_of(numbers, "bleu"), InputError);
}

TEST_CASE("of no example the metrics are numbers or none, but no crash") {
  const TaskPredictions kinds[] = {ClassPredictions{.classes = 2},
                                   LabelPredictions{},
                                   NumberPredictions{},
                                   TagPredictions{},
                                   AnswerPredictions{},
                                   TextPredictions{}};
  for (const TaskPredictions& kind : kinds) {
    CHECK(task_metrics(kind).size() == metric_names(kind).size());
  }
}

TEST_CASE("errors are better when they are small") {
  CHECK(less_is_better("loss"));
  CHECK(less_is_better("mse"));
  CHECK_FALSE(less_is_better("accuracy"));
}
