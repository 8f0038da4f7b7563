#include "metrics/question_answering.h"

#include <limits>

#include "metrics/golden.h"
#include "support/catch.h"

using namespace lmzoo;
using lmzoo::test::near;

namespace {

std::vector<AnsweredQuestion> questions_of(const Json& set) {
  std::vector<AnsweredQuestion> questions;
  for (size_t i = 0; i < set["truth"].size(); ++i) {
    questions.push_back(answered_question(set["predicted"][i].get<std::string>(),
                                          set["truth"][i].get<test::Texts>(),
                                          set.contains("no_answer") ? set["no_answer"][i].get<double>() : 0));
  }
  return questions;
}

// The official script leaves out what there is no question of.
void check_part(const std::optional<SquadPart>& part, const Json& official, const std::string& prefix) {
  REQUIRE(part.has_value() == official.contains(prefix + "exact"));
  if (part) {
    CHECK(near(part->exact, official[prefix + "exact"]));
    CHECK(near(part->f1, official[prefix + "f1"]));
    CHECK(part->total == official[prefix + "total"].get<int64_t>());
  }
}

void check_squad(const SquadScores& scores, const Json& official) {
  check_part(scores.all, official, "");
  check_part(scores.with_answer, official, "HasAns_");
  check_part(scores.without_answer, official, "NoAns_");
}

}  // namespace

TEST_CASE("answers are normalized and compared as by SQuAD's script") {
  const Json golden = test::golden_metrics("question_answering");
  for (const Json& one : golden["pairs"]) {
    const auto predicted = one["predicted"].get<std::string>(), truth = one["truth"].get<std::string>();
    INFO(one.dump());
    CHECK(normalize_answer(predicted) == one["normalized"].get<std::string>());
    CHECK(answer_match(predicted, truth) == one["exact"].get<double>());
    CHECK(near(answer_f1(predicted, truth), one["f1"]));
  }
}

TEST_CASE("SQuAD 2.0: all, answerable and unanswerable questions, and the best thresholds") {
  const Json golden = test::golden_metrics("question_answering");
  for (const Json& set : golden["sets"]) {
    const std::vector<AnsweredQuestion> questions = questions_of(set);
    INFO(set.dump());
    check_squad(squad_scores(questions, std::numeric_limits<double>::infinity()), set["final"]);
    check_squad(squad_scores(questions, 0.5), set["thresholded"]);
    const BestThreshold best = best_threshold(questions);
    CHECK(near(best.exact, set["thresholded"]["best_exact"]));
    CHECK(near(best.exact_threshold, set["thresholded"]["best_exact_thresh"]));
    CHECK(near(best.f1, set["thresholded"]["best_f1"]));
    CHECK(near(best.f1_threshold, set["thresholded"]["best_f1_thresh"]));
  }
}

TEST_CASE("SQuAD 1.1 as torchmetrics computes it, in float32") {
  const Json golden = test::golden_metrics("question_answering");
  for (const Json& set : golden["version1"]) {
    const SquadScores scores = squad_scores(questions_of(set));
    CHECK(scores.all.exact == Approx(set["exact_match"].get<double>()).epsilon(1e-6));
    CHECK(scores.all.f1 == Approx(set["f1"].get<double>()).epsilon(1e-6));
  }
}

TEST_CASE("no question at all and bytes that are no text are no trouble") {
  CHECK(squad_scores({}).all.total == 0);
  CHECK(best_threshold({}).f1 == 0);
  CHECK(answer_match("\xFF\xFE owl", "owl") == 0);
  CHECK(score_answer("", {}).exact == 1);
}
