// Whole runs that fine-tune: what stays as it was bit for bit, what goes on bit for bit, what answers alike.
#include <map>

#include "base/check.h"
#include "core/tensor_file.h"
#include "support/catch.h"
#include "support/files.h"
#include "train/debug_configs.h"
#include "train/fakes.h"
#include "train/loop/loop.h"
#include "train/run/assemble.h"
#include "train/run/run_folder.h"
#include "train/saved/checkpoint.h"

using namespace lmzoo;
using namespace lmzoo::test;

namespace {

struct Fixture {
  TempDir dir;

  LoadedConfig read(std::vector<std::string> changes) const {
    changes.insert(changes.begin(),
                   {"data.cache_dir=" + (dir / "cache"),
                    "model.layers=2",
                    "train.steps=8",
                    "schedule.warmup_steps=1",
                    "eval.every=0"});
    std::vector<Override> overrides;
    for (const std::string& change : changes) {
      overrides.push_back(parse_override(change));
    }
    return read_run_config("configs/debug/classify.yaml", overrides, registry());
  }

  // Trains to step `until` of the run, as `lmzoo train --resume` does.
  Assembled train_to(const std::string& run, const LoadedConfig& loaded, int64_t until) const {
    const std::string folder = dir / run;
    const bool goes_on = is_run(folder);
    Assembled parts = assemble(loaded, registry(), {.warm = !goes_on, .style = ProgressBar::Style::silent});
    write_run_folder(folder, loaded.config, *parts.tokenizer, parts.parts.classes);
    before = copy_of(weights(*parts.parts.model, *parts.parts.objective));
    TrainOptions options = loaded.config.train;
    options.save_every = until;
    ProgressBar bar("", "", ProgressBar::Style::silent);
    const bool all = until == options.steps;
    KilledBatches batches(*parts.batches, all ? -1 : until);
    const TrainJob job{.model = *parts.parts.model,
                       .objective = *parts.parts.objective,
                       .optimizer = *parts.optimizer,
                       .lr = loaded.config.optimizer.lr,
                       .batches = batches,
                       .train = options,
                       .schedule = loaded.config.schedule,
                       .unfreezing = parts.unfreezing,
                       .probe = loaded.config.fine_tune.probe,
                       .seed = loaded.config.stream_seed(),
                       .run = folder,
                       .resume = true};
    if (all) {
      train(job, bar);
    } else {
      CHECK_THROWS_WITH(train(job, bar), "killed");
    }
    return parts;
  }

  mutable NamedTensors before;  // weights that the last training began with
};

NamedTensors weights_of(const Assembled& run) { return weights(*run.parts.model, *run.parts.objective); }

const std::vector<std::string> kLora{
    "fine_tune.lora={rank: 2, dropout: 0.1, targets: ['*.q', '*.v', '*.in']}"};

}  // namespace

TEST_CASE("what is not trained is bit for bit as before, and what is trained has changed") {
  const Fixture fixture;
  const std::vector<std::string> changes =
      GENERATE(std::vector<std::string>(kLora),
               std::vector<std::string>{"fine_tune.probe=true"},
               std::vector<std::string>{"warm_start.freeze=['*.qkv.*']"});
  const Assembled run = fixture.train_to("run", fixture.read(changes), 8);
  const NamedTensors after = weights_of(run);
  for (size_t i = 0; i < after.size(); ++i) {
    CAPTURE(after[i].name);
    // The masked-LM head plays no part in classification.
    const bool idle = after[i].name.starts_with("model.head");
    CHECK(after[i].tensor.equal(fixture.before[i].tensor) == (!after[i].tensor.requires_grad() || idle));
  }
}

TEST_CASE("a fine-tuning run that is killed and goes on ends bit for bit as one that is not") {
  const std::vector<std::string> changes =
      GENERATE(std::vector<std::string>(kLora),
               std::vector<std::string>{"fine_tune={layer_decay: 0.7, unfreeze: {every: 2, unit: steps}}"},
               std::vector<std::string>{"fine_tune.probe=true"});
  const Fixture fixture;
  const LoadedConfig loaded = fixture.read(changes);
  const Assembled straight = fixture.train_to("straight", loaded, 8);
  fixture.train_to("killed", loaded, 5);
  const Assembled resumed = fixture.train_to("killed", loaded, 8);
  CHECK(same(weights_of(straight), weights_of(resumed)));
  CHECK(same(straight.optimizer->state(), resumed.optimizer->state()));
}

TEST_CASE("only trained weights have moments, in memory and in the checkpoint") {
  const Fixture fixture;
  const Assembled run = fixture.train_to("run", fixture.read(kLora), 8);
  const NamedTensors trained = trainable(*run.parts.model, *run.parts.objective);
  const NamedTensors state = run.optimizer->state();
  CHECK(count_elements(state) == 2 * count_elements(trained) + static_cast<int64_t>(trained.size()));
  CHECK(count_elements(trained) * 5 < count_elements(weights_of(run)));
  const SafetensorsFile file(checkpoint_folder(fixture.dir / "run", 8) + "/optimizer.safetensors");
  CHECK(file.tensors().size() == state.size());
}

TEST_CASE(
    "a run with adapters loads with the same answers, and merged it is a plain model of the same answers") {
  const Fixture fixture;
  Assembled trained = fixture.train_to("run", fixture.read(kLora), 8);
  const LoadedRun run = load_run(fixture.dir / "run", registry(), "cpu");
  trained.parts.model->eval();
  trained.parts.objective->eval();
  const at::NoGradGuard no_grad;
  const std::optional<Batch> batch = trained.valid.front().open()();
  const auto loss = [&](const Parts& parts) {
    Stream stream({});
    return mean_loss(parts.objective->loss(*parts.model, *batch, stream), *batch);
  };
  const Tensor right = loss(trained.parts);
  CHECK(loss(run.parts).equal(right));
  merge_adapters(*run.parts.model, *run.parts.objective);
  CHECK(loss(run.parts).item<double>() == Approx(right.item<double>()).epsilon(1e-6));
  const Assembled plain = assemble(fixture.read({}), registry(), {.style = ProgressBar::Style::silent});
  CHECK(weights(*run.parts.model, *run.parts.objective).size() == weights_of(plain).size());
}

TEST_CASE("under unfreezing, a level changes from the step at which it opens") {
  const Fixture fixture;
  const LoadedConfig loaded = fixture.read({"fine_tune.unfreeze={every: 3, unit: steps}"});
  fixture.train_to("run", loaded, 3);
  const NamedTensors start = fixture.before;
  const auto changed_at = [&](const std::string& name) {
    const SafetensorsFile file(checkpoint_folder(fixture.dir / "run", 3) + "/model.safetensors");
    for (const NamedTensor& entry : start) {
      if (entry.name == name) {
        return !to_tensor(*file.find(name), "").equal(entry.tensor);
      }
    }
    FAIL(name);
    return false;
  };
  CHECK(changed_at("objective.output.weight"));
  CHECK_FALSE(changed_at("model.stack.block1.attention.qkv.weight"));
  CHECK_FALSE(changed_at("model.tokens.weight"));
  const Assembled end = fixture.train_to("run", loaded, 8);
  const NamedTensors after = weights_of(end);
  for (size_t i = 0; i < after.size(); ++i) {
    const std::string& name = after[i].name;
    if (name.starts_with("model.stack.")) {
      CAPTURE(name);
      CHECK_FALSE(after[i].tensor.equal(start[i].tensor));  // block 1 from step 4, block 0 from step 7
    } else if (!name.starts_with("objective.")) {
      CHECK(after[i].tensor.equal(start[i].tensor));  // embeddings would open at step 10
    }
  }
}
