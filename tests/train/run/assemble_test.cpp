#include "train/run/assemble.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>

#include "base/check.h"
#include "core/parameters.h"
#include "support/catch.h"
#include "support/files.h"
#include "train/debug_configs.h"
#include "train/loop/loop.h"
#include "train/run/plan.h"
#include "train/run/run_folder.h"

using namespace lmzoo;
using namespace lmzoo::test;

namespace {

// A run of a few steps in `folder`, as `lmzoo train` makes it.
Assembled train_in(const std::string& folder, const LoadedConfig& loaded) {
  Assembled run = assemble(loaded, registry(), {.style = ProgressBar::Style::silent});
  write_run_folder(folder, loaded.config, *run.tokenizer, run.parts.classes);
  ProgressBar bar("", "", ProgressBar::Style::silent);
  train({.model = *run.parts.model,
         .objective = *run.parts.objective,
         .optimizer = *run.optimizer,
         .lr = loaded.config.optimizer.lr,
         .batches = *run.batches,
         .valid = run.valid.empty() ? std::nullopt : std::optional(run.valid.front()),
         .train = loaded.config.train,
         .eval = loaded.config.eval,
         .schedule = loaded.config.schedule,
         .seed = loaded.config.stream_seed(),
         .run = folder},
        bar);
  return run;
}

}  // namespace

TEST_CASE("initial weights follow from the seed") {
  const auto weights_of = [](const std::string& seed) {
    const LoadedConfig loaded = debug_config("bert", {"seed=" + seed});
    const Parts parts = build_parts(loaded, registry(), foresee_vocabulary(loaded, true).vocabulary, {});
    std::vector<Tensor> flat;
    for (const NamedTensor& weight : weights(*parts.model, *parts.objective)) {
      flat.push_back(weight.tensor.detach().reshape(-1));
    }
    return at::cat(flat);
  };
  CHECK(at::equal(weights_of("1"), weights_of("1")));
  CHECK_FALSE(at::equal(weights_of("1"), weights_of("2")));
}

TEST_CASE("parts that cannot go together are refused where they are named") {
  CHECK_THROWS_WITH(
      debug_plan("bert", {"objective={type: causal_lm}"}),
      Catch::StartsWith("--set objective: objective.type: causal_lm does not go with model bert: "));
  CHECK_THROWS_WITH(
      debug_plan("bert", {"model.max_length=10"}),
      "configs/debug/bert.yaml:7:20: data.sequence_length: a full window has a sequence of 64 positions, "
      "but the model takes at most 10");
  CHECK_THROWS_WITH(debug_plan("gpt", {"model.vocab_size=9"}),
                    Catch::StartsWith("--set model.vocab_size: model"));
  CHECK_THROWS_WITH(debug_plan("gpt", {"model.heads=5"}),
                    Catch::Contains("model.width: is 32 but must be a multiple of"));
  CHECK_THROWS_WITH(debug_plan("gpt", {"model.width=2000000000000"}),
                    Catch::Contains("model: cannot be built: "));
  CHECK_THROWS_WITH(debug_plan("bert", {"warm_start.freeze=['*']"}), Catch::Contains("warm_start.freeze"));
}

TEST_CASE("a plan solves lengths and counts parameters without memory or data") {
  const Plan t5 = debug_plan("t5",
                             {"model={type: t5, preset: t5-small}",
                              "tokenizer={type: sentencepiece, vocab_size: 32100}",
                              "data.sequence_length=512"});
  CHECK(t5.lengths.raw == 568);
  CHECK(t5.lengths.source == 512);
  CHECK(t5.lengths.target == 114);
  CHECK(t5.labels_per_window == 114);
  CHECK(t5.tokens_per_step == 8 * (512 + 114));
  CHECK(t5.parameters == 60'506'624);
  const Plan gpt = debug_plan("gpt",
                              {"model={type: gpt, preset: gpt2-xl}",
                               "data.sequence_length=1024",
                               "tokenizer={type: sentencepiece, vocab_size: 50257}"});
  CHECK(gpt.parameters == 1'557'611'200);
  CHECK(gpt.memory_bytes > 16 * gpt.parameters);
  CHECK(gpt.tokens_per_step == 8 * 1024);
}

TEST_CASE("frozen parameters are no memory of the optimizer") {
  const Plan all = debug_plan("bert");
  const Plan some = debug_plan("bert", {"warm_start.freeze=['model.*weight']"});
  CHECK(some.parameters == all.parameters);
  CHECK(some.trained < all.trained);
  CHECK(some.memory_bytes < all.memory_bytes);
}

TEST_CASE("a plan names text that is missing, and writes nothing") {
  const test::TempDir dir;
  const std::string cache = "data.cache_dir=" + (dir / "cache");
  CHECK_THROWS_WITH(
      make_plan(debug_config("bert", {cache, "data.train.files=[missing.txt]"}), registry()),
      Catch::StartsWith("--set data.train.files: data.train.files: ") && Catch::Contains("missing.txt"));
  CHECK_THROWS_WITH(make_plan(debug_config("bert", {cache, "warm_start.from=nowhere"}), registry()),
                    Catch::StartsWith("--set warm_start.from: warm_start.from: "));
  const Plan plan = make_plan(debug_config("classify", {cache}), registry());
  CHECK(plan.classes == 2);
  CHECK(plan.texts.size() == 2);
  CHECK_FALSE(plan.texts[0].documents.has_value());
  CHECK(plan.warnings.size() == 2);
  CHECK(std::filesystem::is_empty(dir.path()));
}

TEST_CASE("a trained run loads with the same answers, from its folder or its checkpoint") {
  const test::TempDir dir;
  const std::string name = GENERATE("bert", "gpt", "t5", "classify");
  const LoadedConfig loaded = debug_config(
      name,
      {"data.cache_dir=" + (dir / "cache"), "train.steps=4", "schedule.warmup_steps=1", "eval.every=0"});
  const std::string folder = dir / "run";
  Assembled trained = train_in(folder, loaded);
  trained.parts.model->eval();
  trained.parts.objective->eval();
  const at::NoGradGuard no_grad;
  for (const std::string& path :
       {folder, folder + "/checkpoints/step-0000004", folder + "/checkpoints/step-0000004/"}) {
    const LoadedRun run = load_run(path, registry(), "cpu");
    CHECK(run.folder == folder);
    CHECK(run.parts.classes == trained.parts.classes);
    CHECK(run.tokenizer->fingerprint() == trained.tokenizer->fingerprint());
    CHECK(dump(run.config.config) == dump(loaded.config));
    const std::optional<Batch> batch = trained.valid.front().open()();
    REQUIRE(batch.has_value());
    const auto loss_of = [&](const Parts& parts) {
      Stream stream({});
      return mean_loss(parts.objective->loss(*parts.model, *batch, stream), *batch);
    };
    CHECK(at::equal(loss_of(run.parts), loss_of(trained.parts)));
  }
}

TEST_CASE("bits per byte count the text that is predicted") {
  const test::TempDir dir;
  test::write_file(dir / "a.txt", "abcd\nxyz\n");
  const auto bytes = [&](const std::vector<std::string>& changes) {
    std::vector<std::string> all{"data.cache_dir=" + (dir / "cache"),
                                 "data.windows=documents",
                                 "data.train.files=['" + (dir / "a.txt") + "']",
                                 "data.valid.files=['" + (dir / "a.txt") + "']"};
    all.insert(all.end(), changes.begin(), changes.end());
    return assemble(debug_config("gpt", all), registry(), {.style = ProgressBar::Style::silent})
        .valid.front()
        .bytes;
  };
  CHECK(bytes({"objective.add_bos=true"}) == 7);
  CHECK(bytes({}) == 5);  // the first byte of each document is never predicted
  CHECK(bytes({"objective={type: span_corruption}", "tokenizer.sentinels=9"}) == 0);
}

TEST_CASE("a run's folder is refused when it holds another run") {
  const test::TempDir dir;
  const LoadedConfig loaded =
      debug_config("gpt", {"data.cache_dir=" + (dir / "cache"), "train.steps=2", "schedule.warmup_steps=0"});
  const std::string folder = dir / "run";
  check_run_folder(folder, loaded.config, false);
  CHECK_FALSE(std::filesystem::exists(folder));
  train_in(folder, loaded);
  CHECK_THROWS_WITH(check_run_folder(folder, loaded.config, false),
                    Catch::Contains("holds a run already: go on with --resume, or choose another --out"));
  check_run_folder(folder, loaded.config, true);
  RunConfig other = loaded.config;
  other.train.steps = 3;
  other.train.log_every = 1;
  CHECK_THROWS_WITH(check_run_folder(folder, other, true),
                    Catch::StartsWith("--resume: train.steps is 3, but the run in ") &&
                        Catch::Contains(" has 2. --resume ends the run that was begun") &&
                        Catch::Contains("--extend STEPS continues it") &&
                        Catch::Contains("warm_start.from="));
  test::write_file(dir / "file", "");
  CHECK_THROWS_WITH(check_run_folder(dir / "file/run", loaded.config, false),
                    Catch::Contains("is no folder"));
}
