#include "metrics/classification.h"

#include "metrics/golden.h"
#include "support/catch.h"

using namespace lmzoo;
using lmzoo::test::near;

namespace {

using Numbers = std::vector<int64_t>;

LabelSets label_sets(const Json& one, const char* key) {
  return {.labels = one["labels"].get<int64_t>(), .flags = one[key].get<std::vector<uint8_t>>()};
}

}  // namespace

TEST_CASE("scores of classes are scikit-learn's") {
  const Json golden = test::golden_metrics("classification");
  for (const Json& one : golden["single"]) {
    const auto truth = one["truth"].get<Numbers>(), predicted = one["predicted"].get<Numbers>();
    INFO(one.dump());
    CHECK(near(accuracy(truth, predicted), one["accuracy"]));
    CHECK(near(binary_scores(truth, predicted), one["binary"]));
    CHECK(near(class_scores(truth, predicted, Average::micro), one["micro"]));
    CHECK(near(class_scores(truth, predicted, Average::macro), one["macro"]));
    CHECK(near(class_scores(truth, predicted, Average::weighted), one["weighted"]));
    CHECK(near(matthews_correlation(truth, predicted), one["mcc"]));
    const auto classes = scores_by_class(truth, predicted);
    REQUIRE(classes.size() == one["classes"].size());
    for (size_t i = 0; i < classes.size(); ++i) {
      const Json& row = one["classes"][i];
      CHECK(classes[i].first == row[0].get<int64_t>());
      CHECK(near(classes[i].second, Json{row[1], row[2], row[3]}));
      CHECK(classes[i].second.support == row[4].get<int64_t>());
    }
  }
}

TEST_CASE("areas under curves are scikit-learn's, ties and single classes included") {
  const Json golden = test::golden_metrics("classification");
  for (const Json& one : golden["curves"]) {
    const auto truth = one["truth"].get<Numbers>();
    const auto scores = one["scores"].get<std::vector<double>>();
    INFO(one.dump());
    CHECK(near(roc_auc(truth, scores), one["roc_auc"]));
    CHECK(near(average_precision(truth, scores), one["average_precision"]));
  }
}

TEST_CASE("scores of several labels are scikit-learn's") {
  const Json golden = test::golden_metrics("classification");
  for (const Json& one : golden["several"]) {
    const LabelSets truth = label_sets(one, "truth"), predicted = label_sets(one, "predicted");
    INFO(one.dump());
    CHECK(near(subset_accuracy(truth, predicted), one["subset_accuracy"]));
    CHECK(near(hamming_loss(truth, predicted), one["hamming_loss"]));
    if (truth.labels > 1) {  // scikit-learn takes one column for classes
      CHECK(near(label_scores(truth, predicted, Average::micro), one["micro"]));
      CHECK(near(label_scores(truth, predicted, Average::macro), one["macro"]));
      CHECK(near(label_scores(truth, predicted, Average::weighted), one["weighted"]));
      CHECK(near(example_scores(truth, predicted), one["samples"]));
    }
  }
}

TEST_CASE("scores of nothing are defined") {
  const Numbers none, one{1};
  CHECK(std::isnan(accuracy(none, none)));
  CHECK(matthews_correlation(none, none) == 0);
  CHECK(class_scores(none, none, Average::macro).f1 == 0);
  CHECK(std::isnan(roc_auc(none, {})));
  CHECK(std::isnan(hamming_loss({}, {})));
  CHECK(example_scores({}, {}).f1 == 0);
  CHECK_THROWS_AS(accuracy(none, one), std::logic_error);
}
