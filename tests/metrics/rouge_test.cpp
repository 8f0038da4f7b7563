#include "metrics/rouge.h"

#include "metrics/golden.h"
#include "metrics/porter.h"
#include "support/catch.h"

using namespace lmzoo;

namespace {

bool near(const RougeScore& ours, const Json& theirs) {
  return test::near(ours.precision, theirs[0]) && test::near(ours.recall, theirs[1]) &&
         test::near(ours.f1, theirs[2]);
}

void check_rouge(const Rouge& ours, const Json& theirs) {
  CHECK(near(ours.rouge1, theirs[0]));
  CHECK(near(ours.rouge2, theirs[1]));
  CHECK(near(ours.rougeL, theirs[2]));
  CHECK(near(ours.rougeLsum, theirs[3]));
}

}  // namespace

TEST_CASE("ROUGE is rouge_score's, with and without its stemmer") {
  const Json golden = test::golden_metrics("rouge");
  for (const Json& one : golden["pairs"]) {
    const auto truth = one["truth"].get<std::string>(), predicted = one["predicted"].get<std::string>();
    INFO(one.dump());
    CHECK(rouge_words(truth, false) == one["words"].get<test::Texts>());
    check_rouge(rouge(truth, predicted), one["plain"]);
    check_rouge(rouge(truth, predicted, {.stemmer = true}), one["stemmed"]);
  }
}

TEST_CASE("of several truths the best one counts, for each score on its own") {
  const Json golden = test::golden_metrics("rouge");
  for (const Json& one : golden["several"]) {
    INFO(one.dump());
    check_rouge(rouge(one["truths"].get<test::Texts>(), one["predicted"].get<std::string>()), one["scores"]);
  }
}

TEST_CASE("stems are NLTK's") {
  const Json golden = test::golden_metrics("rouge");
  for (const Json& one : golden["stems"]) {
    INFO(one.dump());
    CHECK(porter_stem(one[0].get<std::string>()) == one[1].get<std::string>());
  }
  CHECK(porter_stem("").empty());
}

TEST_CASE("a long text without spaces is one word, and bytes that are no text are none") {
  CHECK(rouge_words(std::string(1 << 20, 'y'), true).size() == 1);
  CHECK(rouge_words("\xFF\xFE\x80", false).empty());
  CHECK_THROWS_AS(rouge(std::span<const std::string>{}, "x"), std::logic_error);
}
