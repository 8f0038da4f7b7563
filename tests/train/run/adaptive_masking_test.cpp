// Masking that follows what was learned: the same bits whatever is made ahead, by whom, and however often a run is
// interrupted.
#include <ATen/ops/equal.h>

#include "core/parameters.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/files.h"
#include "train/debug_configs.h"
#include "train/fakes.h"
#include "train/run/assemble.h"
#include "train/run/run_folder.h"

using namespace lmzoo;
using namespace lmzoo::test;
using Catch::Matchers::Contains;

namespace {

constexpr int64_t kSteps = 24;  // evaluations at 10, 20 and 24

struct AdaptiveRuns {
  TempDir dir;

  // Trains a run, killed before the batch of step `until` + 1, and gives what a checkpoint would hold.
  NamedTensors train_to(const std::string& run,
                        int64_t until,
                        const std::vector<std::string>& more = {}) const {
    std::vector<std::string> changes{
        "data.cache_dir=" + (dir / "cache"), "train.steps=24", "train.save_every=7"};
    changes.insert(changes.end(), more.begin(), more.end());
    const LoadedConfig loaded = debug_config("adaptive_masking", changes);
    const std::string folder = dir / run;
    Assembled made =
        assemble(loaded, registry(), {.warm = !is_run(folder), .style = ProgressBar::Style::silent});
    write_run_folder(folder, loaded.config, *made.tokenizer, made.parts.classes);
    KilledBatches batches(*made.batches, until == kSteps ? -1 : until);
    const TrainJob job{.model = *made.parts.model,
                       .objective = *made.parts.objective,
                       .optimizer = *made.optimizer,
                       .lr = loaded.config.optimizer.lr,
                       .batches = batches,
                       .valid = made.valid.front(),
                       .train = loaded.config.train,
                       .eval = loaded.config.eval,
                       .schedule = loaded.config.schedule,
                       .seed = loaded.config.stream_seed(),
                       .run = folder,
                       .resume = true};
    ProgressBar bar("", "", ProgressBar::Style::silent);
    if (until == kSteps) {
      train(job, bar);
    } else {
      CHECK_THROWS_WITH(train(job, bar), "killed");
    }
    return copy_of(weights(*made.parts.model, *made.parts.objective));
  }
};

const Tensor& weights_called(const NamedTensors& all, const std::string& name) {
  return std::ranges::find(all, name, &NamedTensor::name)->tensor;
}

}  // namespace

TEST_CASE("adaptive masking is the same with any prefetch and any number of workers") {
  const AdaptiveRuns runs;
  const NamedTensors plain = runs.train_to("plain", kSteps, {"data.workers=0"});
  const Tensor& ids = weights_called(plain, "objective.ids.weights");
  CHECK(ids.mean().item<double>() == Approx(1));
  CHECK(ids.max().item<double>() > 1.05 * ids.min().item<double>());
  CHECK(weights_called(plain, "objective.ids.seen").sum().item<int64_t>() ==
        0);  // the last step was evaluated
  CHECK(same(plain, runs.train_to("one", kSteps, {"data.workers=1", "data.prefetch=1"})));
  CHECK(same(plain, runs.train_to("many", kSteps, {"data.workers=3", "data.prefetch=16"})));
  const NamedTensors uniform = runs.train_to("rare", kSteps, {"eval.every=23"});
  CHECK_FALSE(same(plain, uniform));  // it does matter when
}

TEST_CASE("adaptive masking goes on bit for bit, before and behind an evaluation") {
  const AdaptiveRuns runs;
  const NamedTensors straight = runs.train_to("straight", kSteps);
  // A checkpoint at 7 with counts and at 14 with adapted weights, and two kills in one run.
  runs.train_to("killed", 9);
  runs.train_to("killed", 9);
  CHECK(same(straight, runs.train_to("killed", kSteps, {"data.workers=2", "data.prefetch=9"})));
}

TEST_CASE("adaptive masking without evaluations is refused") {
  const auto refusal = [](const std::string& change) {
    return error_of([&] { debug_plan("adaptive_masking", {change}); });
  };
  const std::string reason = "objective: adapts at each evaluation, so it needs data.valid and eval.every";
  CHECK_THAT(refusal("eval.every=0"), Contains(reason));
  CHECK_THAT(refusal("objective.dialect=bert"), Contains("it goes with dialect hf, without whole_words"));
}
