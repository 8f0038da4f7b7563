// A teacher beside a run: found, compared, planned, kept out of checkpoints, and not needed by whoever asks the student.
#include <filesystem>

#include "core/parameters.h"
#include "io/json.h"
#include "support/catch.h"
#include "support/files.h"
#include "train/debug_configs.h"
#include "train/run/assemble.h"
#include "train/run/train_run.h"
#include "train/saved/checkpoint.h"

using namespace lmzoo;
using namespace lmzoo::test;
using Catch::Matchers::Contains;

namespace {

// A teacher of two blocks that was trained for three steps, and runs that learn from it.
struct School {
  School() { train_run(brief({"train.steps=3", "eval.every=0"}), registry(), teacher(), {}); }

  // configs/debug/bert.yaml, for few steps.
  LoadedConfig brief(std::vector<std::string> changes) const {
    changes.insert(changes.begin(), {"data.cache_dir=" + (folder / "cache"), "schedule.warmup_steps=0"});
    return debug_config("bert", changes);
  }
  LoadedConfig pupil(std::vector<std::string> changes = {}, const std::string& options = "") const {
    changes.insert(changes.begin(),
                   {"train.steps=4",
                    "train.save_every=2",
                    "train.keep_last=2",
                    "eval.every=2",
                    "model.layers=1",
                    "objective={type: distillation, teacher: " + teacher() + options + "}",
                    "warm_start={from: " + teacher() + ", every: 2}"});
    return brief(changes);
  }
  std::string teacher() const { return folder / "teacher"; }

  TempDir folder;
};

}  // namespace

TEST_CASE(
    "a student begins with every second block, learns, goes on bit for bit and is asked without its "
    "teacher") {
  const School school;
  const std::string run = school.folder / "student";
  const LoadedConfig config = school.pupil();
  const Assembled begun = assemble(config, registry(), {.style = ProgressBar::Style::silent});
  const LoadedRun teacher = load_run(school.teacher(), registry(), "cpu");
  const auto theirs = teacher.parts.model->named_parameters();
  for (const auto& item : begun.parts.model->named_parameters()) {
    INFO(item.name);
    CHECK(item.value.equal(theirs[item.name]));  // block 0 of block 0, and all that is no block
  }
  CHECK(begun.inputs.contains("teacher"));
  CHECK(weights(*begun.parts.model, *begun.parts.objective).size() ==
        begun.parts.model->named_parameters().size());

  train_run(config, registry(), run, {});
  const std::string end = read_file(checkpoint_folder(run, 4) + "/model.safetensors");
  CHECK(end.find("objective.") == std::string::npos);
  std::filesystem::remove_all(checkpoint_folder(run, 4));
  train_run(config, registry(), run, {.resume = true});
  CHECK(read_file(checkpoint_folder(run, 4) + "/model.safetensors") == end);

  std::filesystem::rename(school.teacher(), school.folder / "gone");
  const LoadedRun asked = load_run(run, registry(), "cpu");
  CHECK(asked.parts.objective->further_models().empty());
  CHECK_THROWS_WITH(assemble(config, registry(), {.style = ProgressBar::Style::silent}), Contains("teacher"));
}

TEST_CASE("a run does not go on with another teacher") {
  const School school;
  const std::string run = school.folder / "student";
  train_run(school.pupil(), registry(), run, {});
  std::filesystem::remove_all(checkpoint_folder(run, 4));
  train_run(
      school.brief({"train.steps=1", "seed=2", "eval.every=0"}), registry(), school.folder / "other", {});
  std::filesystem::remove_all(school.teacher());
  std::filesystem::rename(school.folder / "other", school.teacher());
  CHECK_THROWS_WITH(train_run(school.pupil(), registry(), run, {.resume = true}), Contains("teacher"));
}

TEST_CASE("a plan counts the teacher's memory and nothing else of it") {
  const School school;
  const Plan alone = make_plan(school.brief({"model.layers=1"}), registry());
  const Plan taught = make_plan(school.pupil(), registry());
  CHECK(taught.parameters == alone.parameters);
  CHECK(taught.trained == alone.trained);
  const LoadedRun teacher = load_run(school.teacher(), registry(), "cpu");
  const NamedTensors theirs = weights(*teacher.parts.model, Module());
  CHECK(taught.state_bytes - alone.state_bytes == 4 * count_elements(theirs));
  CHECK_THAT(to_text(taught),
             Contains("note") && Contains("teacher " + school.teacher()) && Contains("is not trained"));
}

TEST_CASE("a teacher with another vocabulary, or none, is refused where it is named") {
  const School school;
  const auto refused = [&](const LoadedConfig& config) {
    return assemble(config, registry(), {.style = ProgressBar::Style::silent});
  };
  CHECK_THROWS_WITH(
      refused(school.brief({"objective={type: distillation}"})),
      Contains("objective: no teacher is named; legal: a run, a checkpoint or a Hugging Face folder"));
  CHECK_THROWS_WITH(refused(school.pupil({"tokenizer.sentinels=3"})),
                    Contains("has a vocabulary of ") && Contains("ids, but this run's tokenizer has "));
  CHECK_THROWS_WITH(school.pupil({}, ", objective: {type: distillation}"),
                    Contains("no such choice 'distillation'"));
  CHECK_THROWS_WITH(refused(school.pupil({}, ", layers: [0, 1]")),
                    Contains("objective.layers: names 2 blocks of the teacher, but this run's model has 1"));
  CHECK_THROWS_WITH(refused(school.pupil({}, ", layers: [2]")),
                    Contains("objective.layers: names block 2, but the teacher has 2"));
  CHECK_NOTHROW(refused(school.pupil({}, ", layers: [1]")));
}
