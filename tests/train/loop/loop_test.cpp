#include "train/loop/loop.h"

#include <cmath>
#include <filesystem>
#include <sstream>

#include <ATen/ops/zeros.h>

#include "io/json.h"
#include "support/catch.h"
#include "support/files.h"
#include "train/fakes.h"
#include "train/rules.h"

using namespace lmzoo;
using namespace lmzoo::test;

namespace {

std::vector<Json> rows(const TempDir& folder, const std::string& kind) {
  std::vector<Json> found;
  std::istringstream lines(read_file(folder / "metrics.jsonl"));
  for (std::string line; std::getline(lines, line);) {
    Json row = parse_json(line, "metrics.jsonl");
    if (row.at("kind") == kind) {
      found.push_back(std::move(row));
    }
  }
  return found;
}

// Validation loss is fixed from outside: these values, one an evaluation.
class ScriptedObjective final : public Objective {
 public:
  explicit ScriptedObjective(std::vector<double> losses) : losses_(std::move(losses)) {
    losses_.insert(losses_.begin(), 0);  // of the batch that is tried before the first step
    weight_ = register_parameter("weight", at::zeros({1}));
  }
  ObjectiveForm form() const override { return {.layout = Layout::in_place}; }
  ObjectiveLengths lengths() const override { return {}; }
  Example example(const Sample&, const TrainingPlace&, Stream&) const override { return {}; }
  Losses loss(Model&, const Batch& batch, Stream&) override {
    const double value = is_training() ? 1 : losses_.at(evaluation_++);
    return {{.sum = (weight_.sum() * 0 + value) * batch.slots.front().total}};
  }

 private:
  std::vector<double> losses_;
  size_t evaluation_ = 0;
  Tensor weight_;
};

// One step an evaluation; more steps than losses: an evaluation fails.
TrainResult scripted(const std::string& folder,
                     const std::vector<double>& losses,
                     const EvalOptions& eval,
                     int64_t steps = 0) {
  TinyModel model;
  ScriptedObjective objective(losses);
  const auto optimizer = make_rule("adamw", {.parameters = trainable(model, objective), .clip_norm = 1});
  TinyBatches batches;
  ProgressBar progress("test", "step", ProgressBar::Style::silent);
  return train({.model = model,
                .objective = objective,
                .optimizer = *optimizer,
                .lr = 1e-3,
                .batches = batches,
                .valid = tiny_eval_set(1),
                .train = {.steps = steps > 0 ? steps : static_cast<int64_t>(losses.size())},
                .eval = eval,
                .run = folder},
               progress);
}

}  // namespace

TEST_CASE("a run learns, logs every log_every steps and evaluates every eval.every and at the end") {
  const TempDir folder;
  TinyRun run(folder.path(), 0);
  run.options.steps = 200;
  run.options.log_every = 50;
  run.eval.every = 80;
  run.valid = tiny_eval_set();
  const TrainResult result = run.train();
  CHECK(result.reason == StopReason::finished);
  CHECK(result.valid->loss() < 0.5);
  CHECK(*result.valid->mean("accuracy") > 0.9);
  const std::vector<Json> train = rows(folder, "train"), eval = rows(folder, "eval");
  REQUIRE(train.size() == 4);
  CHECK(train[0].at("step") == 50);
  CHECK(train[3].at("loss") < train[0].at("loss"));
  CHECK(train[3].at("tokens") == result.state.tokens);
  CHECK(train[3].at("lr") == 0.0);  // the cosine's end
  for (const char* key :
       {"grad_norm", "tokens_per_s", "target_tokens_per_s", "flops_per_s", "memory_bytes"}) {
    CAPTURE(key);
    CHECK(train[1].at(key) > 0);
  }
  REQUIRE(eval.size() == 3);
  CHECK(eval[0].at("step") == 80);
  CHECK(eval[2].at("step") == 200);
  CHECK(eval[2].at("perplexity") == Approx(std::exp(eval[2].at("loss").get<double>())));
}

TEST_CASE("the mean loss of a row weighs every label the same") {
  const TempDir folder;
  TinyRun run(folder.path(), 0);
  run.options.steps = 3;
  run.options.log_every = 3;
  run.schedule = {.type = ScheduleType::constant};
  run.lr = 1e-12;  // the weights stay, so that the rows can be computed
  run.train();
  TinyRun fresh("", 0);
  const Batch all = joined_batches({tiny_batch(0, 4), tiny_batch(1, 4), tiny_batch(2, 4)});
  Stream stream({});
  const Tensor whole = mean_loss(fresh.objective->loss(*fresh.model, all, stream), all);
  CHECK(rows(folder, "train").at(0).at("loss") == Approx(whole.item<double>()).epsilon(1e-5));
}

TEST_CASE("a step that is not finite is skipped and counted; the run goes on as if it had not been") {
  for (const bool gradient : {false, true}) {
    const TempDir folder;
    TinyRun run(folder.path(), 0);
    (gradient ? run.objective->explode_at : run.objective->poison_at) = 7;
    run.options.steps = 20;
    const TrainResult result = run.train();
    CHECK(result.state.skipped == 1);
    CHECK(result.state.skipped_in_a_row == 0);
    CHECK(std::isfinite(result.last_loss));
    for (const NamedTensor& entry : run.snapshot().optimizer) {
      if (entry.name.ends_with(".step")) {
        CHECK(entry.tensor.item<double>() == 19);
      }
    }
    CHECK(rows(folder, "train").back().at("skipped") == 1);
  }
}

TEST_CASE("max_skipped bad steps in a row end the run with the steps and samples") {
  const TempDir folder;
  TinyRun run(folder.path(), 0);
  run.objective->poison_from = 12;
  run.options.max_skipped = 3;
  run.options.save_every = 10;
  using Catch::Matchers::Contains;
  CHECK_THROWS_WITH(run.train(),
                    Contains("step 15: the loss was not finite in 3 steps in a row (from step 13, windows "
                             "12 13 14)"));
  CHECK(list_checkpoints(folder.path()) == std::vector<std::string>{checkpoint_folder(folder.path(), 10)});
}

TEST_CASE("the best checkpoint stays beside the last, and is the one that RUN means") {
  const TempDir folder;
  const TrainResult result = scripted(folder.path(), {5, 3, 4, 4.5, NAN, 6}, {.every = 1});
  CHECK(result.state.best == BestMark{2, "loss", 3});
  CHECK(best_mark(folder.path()) == result.state.best);
  CHECK(list_checkpoints(folder.path()) ==
        std::vector<std::string>{checkpoint_folder(folder.path(), 2), checkpoint_folder(folder.path(), 6)});
  CHECK(resolve_checkpoint(folder.path()) == checkpoint_folder(folder.path(), 2));
  CHECK(resolve_checkpoint(folder.path(), true) == checkpoint_folder(folder.path(), 6));
}

TEST_CASE("a run stops early when it has not become better in `patience` evaluations") {
  const TempDir folder;
  const TrainResult result = scripted(folder.path(), {5, 3, 4, 2.9, 3, 3, 1, 1}, {.every = 1, .patience = 2});
  CHECK(result.reason == StopReason::early);
  CHECK(result.state.step == 6);
  CHECK(result.state.best->step == 4);
}

TEST_CASE("a run without one label is an error, not a success") {
  const TempDir folder;
  TinyRun run(folder.path(), 0);
  run.options.steps = 6;
  run.batches.labeled = false;
  CHECK_THROWS_WITH(run.train(), Catch::Matchers::Contains("none of 6 steps had a label"));
  CHECK(list_checkpoints(folder.path()).empty());
}

TEST_CASE("steps that are skipped do not take the place of the last healthy checkpoint") {
  const TempDir folder;
  TinyRun run(folder.path(), 0);
  run.options.steps = 30;
  run.options.save_every = 5;
  run.objective->poison_from = 12;
  run.options.max_skipped = 10;
  CHECK_THROWS_WITH(run.train(), Catch::Matchers::Contains("in 10 steps in a row (from step 13,"));
  const auto folders = list_checkpoints(folder.path());
  CHECK(folders.front() == checkpoint_folder(folder.path(), 10));
  CHECK(std::filesystem::exists(folders.front() + "/manifest.json"));
}

TEST_CASE("a checkpoint is due by time, too") {
  const TempDir folder;
  TinyRun run(folder.path(), 0);
  run.options.save_minutes = 1e-9;
  run.batches.die_at = 35;
  CHECK_THROWS(run.train());
  CHECK_FALSE(list_checkpoints(folder.path()).empty());
  const TempDir other;
  TinyRun never(other.path(), 0);
  never.options.save_minutes = 0;
  never.batches.die_at = 35;
  CHECK_THROWS(never.train());
  CHECK(list_checkpoints(other.path()).empty());
}

TEST_CASE("a run whose folder is renamed goes on in it, and one whose folder is removed is an error") {
  const TempDir folder;
  TinyRun run(folder / "run", 0);
  run.options.save_every = 10;
  run.valid = tiny_eval_set();
  run.eval.every = 15;
  run.valid->open = [&, passes = 0]() mutable -> BatchPass {
    if (++passes == 2) {  // after step 15
      std::filesystem::rename(folder / "run", folder / "renamed");
    }
    return tiny_eval_set().open();
  };
  run.train();
  CHECK_FALSE(std::filesystem::exists(folder / "run"));
  CHECK(list_checkpoints(folder / "renamed").back() == checkpoint_folder(folder / "renamed", 40));
  CHECK_THAT(read_file(folder / "renamed/metrics.jsonl"), Catch::Matchers::Contains(R"("step":40)"));

  TinyRun removed(folder / "gone", 0);
  removed.valid = tiny_eval_set();
  removed.eval.every = 15;
  removed.valid->open = [&, passes = 0]() mutable -> BatchPass {
    if (++passes == 2) {
      std::filesystem::remove_all(folder / "gone");
    }
    return tiny_eval_set().open();
  };
  CHECK_THROWS_WITH(removed.train(), Catch::Matchers::Contains("was removed while it was written to"));
  CHECK_FALSE(std::filesystem::exists(folder / "gone"));
}

TEST_CASE("weights that are no numbers are not saved, and the last healthy checkpoint stays") {
  const TempDir folder;
  TinyRun run(folder.path(), 0);
  run.options.steps = 20;
  run.options.save_every = 5;
  run.objective->ruin_at = 12;  // in step 13
  CHECK_THROWS_WITH(
      run.train(),
      Catch::Matchers::Contains("is no longer finite, so nothing is saved; the checkpoint of step 10 stays"));
  CHECK(list_checkpoints(folder.path()) == std::vector<std::string>{checkpoint_folder(folder.path(), 10)});
}

TEST_CASE("an evaluation that fails does not take the steps before it along") {
  const TempDir folder;
  CHECK_THROWS_AS(scripted(folder.path(), {5, 3}, {.every = 1}, /*steps=*/3), std::out_of_range);
  CHECK(list_checkpoints(folder.path()).back() == checkpoint_folder(folder.path(), 3));
}

TEST_CASE("weights are saved before an evaluation that is due with them, and before the last one") {
  const TempDir folder;
  TinyRun run(folder.path(), 0);
  run.options.save_every = 10;
  run.options.steps = 25;
  run.eval.every = 5;
  run.valid = tiny_eval_set();
  std::vector<std::string> newest;  // when an evaluation begins
  run.valid->open = [&] {
    const auto all = list_checkpoints(folder.path());
    newest.push_back(all.empty() ? "" : all.back());
    return tiny_eval_set().open();
  };
  run.train();
  REQUIRE(newest.size() == 6);
  CHECK(newest[0].empty());  // the batch that is tried
  CHECK(newest[1].empty());
  for (const int64_t step : {10, 20, 25}) {
    CHECK(newest[static_cast<size_t>(step / 5)] == checkpoint_folder(folder.path(), step));
  }
}

TEST_CASE("best_by accuracy needs an objective that measures it") {
  const TempDir folder;
  CHECK_THROWS_WITH(scripted(folder.path(), {5, 3}, {.best_by = "accuracy"}),
                    Catch::Matchers::Contains("eval.best_by is accuracy"));
  const TempDir other;
  TinyRun run(other.path());
  run.valid = tiny_eval_set();
  run.eval.best_by = "accuracy";
  CHECK(run.train().state.best->metric == "accuracy");
}
