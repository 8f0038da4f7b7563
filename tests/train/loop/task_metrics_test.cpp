// Metrics of what an objective predicts: from core's predictions to names, in evaluations, and as what makes
// a checkpoint the best.
#include "train/loop/task_metrics.h"

#include "support/catch.h"
#include "support/files.h"
#include "train/fakes.h"
#include "train/loop/evaluate.h"
#include "train/rules.h"

using namespace lmzoo;
using namespace lmzoo::test;

namespace {

// Trains as the tiny objective does, and predicts classes out of a script: how many of 10 are right in each
// evaluation.
class Guessing final : public Objective {
 public:
  explicit Guessing(std::vector<int64_t> script) : script_(std::move(script)) {
    inner_ = register_module("inner", std::make_shared<TinyObjective>());
  }

  ObjectiveForm form() const override { return inner_->form(); }
  ObjectiveLengths lengths() const override { return inner_->lengths(); }
  Example example(const Sample& sample, const TrainingPlace& place, Stream& stream) const override {
    return inner_->example(sample, place, stream);
  }
  Losses loss(Model& model, const Batch& batch, Stream& stream) override {
    return inner_->loss(model, batch, stream);
  }
  bool predicts() const override { return true; }
  Predictions predict(Model&, const Batch&) override {
    const int64_t right = script_.at(calls_++);
    Predictions made;
    for (int64_t i = 0; i < 10; ++i) {
      made.classes.expected.push_back(i % 2);
      made.classes.given.push_back(i < right ? i % 2 : 1 - i % 2);
    }
    return made;
  }

 private:
  std::shared_ptr<TinyObjective> inner_;
  std::vector<int64_t> script_;
  size_t calls_ = 0;
};

EvalSet guessed_set() {
  EvalSet set = tiny_eval_set(1);
  set.classes = {"no", "yes"};
  return set;
}

double number(const NamedNumbers& numbers, const std::string& name) {
  for (const auto& [known, value] : numbers) {
    if (known == name) {
      return value;
    }
  }
  FAIL("no " << name);
  return 0;
}

}  // namespace

TEST_CASE("each kind of predictions becomes the metrics' kind") {
  Predictions classes;
  classes.classes = {.given = {0, 1}, .expected = {1, 1}};
  classes.scores = {{0.7, 0.3}, {0.2, 0.8}};
  const auto two = std::get<ClassPredictions>(*task_predictions(classes, {"no", "yes"}));
  CHECK(two.scores == std::vector<double>{0.3, 0.8});
  CHECK(std::get<ClassPredictions>(*task_predictions(classes, {"a", "b", "c"})).scores.empty());

  Predictions sets;
  sets.sets = {.given = {{0, 2}, {}}, .expected = {{2}, {1}}};
  const auto flags = std::get<LabelPredictions>(*task_predictions(sets, {"a", "b", "c"}));
  CHECK(flags.predicted.flags == std::vector<uint8_t>{1, 0, 1, 0, 0, 0});
  CHECK(flags.truth.flags == std::vector<uint8_t>{0, 0, 1, 0, 1, 0});

  Predictions values;
  values.values = {.given = {1.5}, .expected = {2}};
  CHECK(std::get<NumberPredictions>(*task_predictions(values, {})).truth == std::vector<double>{2});
  CHECK_FALSE(task_predictions({}, {}));
}

TEST_CASE("tags of entities are scored as entities, others as words") {
  Predictions tags;
  tags.tags = {.given = {{0, 1}, {2}}, .expected = {{0, 1}, {1}}};
  const auto entities = std::get<TagPredictions>(*task_predictions(tags, {"B-PER", "I-PER", "O"}));
  CHECK(entities.predicted[1] == std::vector<std::string>{"O"});
  const auto words = std::get<ClassPredictions>(*task_predictions(tags, {"NOUN", "VERB", "X"}));
  CHECK(words.predicted == std::vector<int64_t>{0, 1, 2});
  CHECK(words.classes == 3);
}

TEST_CASE("answers bring all that people gave, and how sure the model is of none") {
  const auto passage = std::make_shared<const Passage>(Passage{"the old owl", {}, {{4, 11}, {8, 11}}});
  Predictions answers;
  answers.answers.push_back({passage,
                             {{.span = {4, 11}, .text = "old owl", .probability = 0.6},
                              {.span = {}, .text = "", .probability = 0.4}}});
  answers.answers.push_back({std::make_shared<const Passage>(Passage{"x", {}, {}}), {}});
  const auto made = std::get<AnswerPredictions>(*task_predictions(answers, {}));
  CHECK(made.truth[0] == std::vector<std::string>{"old owl", "owl"});
  CHECK(made.truth[1].empty());
  CHECK(made.predicted == std::vector<std::string>{"old owl", ""});
  CHECK(made.no_answer == std::vector<double>{0.4, 0});
}

TEST_CASE("an evaluation measures the usual metrics, chosen ones, or all") {
  TinyRun run("");
  Guessing objective({8, 8, 8, 8});
  const auto usual = evaluate(*run.model, objective, guessed_set(), {});
  CHECK(number(usual->metrics, "matthews_correlation") == Approx(0.6));
  CHECK(usual->metrics.size() == 3);
  CHECK_FALSE(usual->predictions);
  const auto chosen =
      evaluate(*run.model, objective, guessed_set(), {.metrics = {"recall"}, .keep_predictions = true});
  CHECK(chosen->metrics.size() == 1);
  CHECK(example_count(*chosen->predictions) == 10);
  const auto all = evaluate(*run.model, objective, guessed_set(), {.all_metrics = true});
  CHECK(all->metrics.size() == metric_names(*chosen->predictions).size());
  CHECK(number(all->values(), "f1_macro") == Approx(0.8));
  CHECK_THROWS_WITH(evaluate(*run.model, objective, guessed_set(), {.metrics = {"bleu"}}),
                    Catch::Matchers::Contains("no metric 'bleu'"));
  CHECK_THROWS_WITH(evaluate(*run.model, *run.objective, guessed_set(), {.metrics = {"bleu"}}),
                    Catch::Matchers::Contains("predicts no classes"));
}

TEST_CASE("the best checkpoint is the one of the highest named metric, and patience counts by it") {
  const TempDir folder;
  TinyRun run(folder.path());
  Guessing objective({5, 5, 9, 7, 8, 9});  // the first call proves the name
  const auto optimizer = make_rule("adamw", {.parameters = trainable(*run.model, objective), .clip_norm = 1});
  ProgressBar bar("test", "step", ProgressBar::Style::silent);
  const TrainJob job{.model = *run.model,
                     .objective = objective,
                     .optimizer = *optimizer,
                     .lr = run.lr,
                     .batches = run.batches,
                     .valid = guessed_set(),
                     .train = {.steps = 40},
                     .eval = {.every = 2, .best_by = "f1_macro", .patience = 3},
                     .schedule = run.schedule,
                     .run = folder.path()};
  const TrainResult result = train(job, bar);
  CHECK(result.reason == StopReason::early);
  CHECK(result.state.step == 10);
  CHECK(result.state.best->step == 4);
  CHECK(result.state.best->metric == "f1_macro");
  CHECK(result.state.best->value == Approx(0.9).margin(0.05));
}

TEST_CASE("a metric that the task does not have ends the run before its first step") {
  const TempDir folder;
  TinyRun run(folder.path());
  run.valid = tiny_eval_set();
  run.eval.best_by = "pearson";
  CHECK_THROWS_WITH(
      run.train(),
      Catch::Matchers::Contains("eval.best_by is pearson, but this objective measures only loss"));
  CHECK(list_checkpoints(folder.path()).empty());
}
