// Every task from its YAML of configs/debug, through text, tokenizer, store and loader: a model learns one
// batch by heart, and then predicts what was expected.
#include <ATen/ops/equal.h>

#include "support/catch.h"
#include "support/files.h"
#include "train/debug_configs.h"
#include "train/loop/step.h"
#include "train/run/assemble.h"

using namespace lmzoo;
using namespace lmzoo::test;

namespace {

Assembled assembled(const std::string& config, const TempDir& folder, std::vector<Override> overrides = {}) {
  overrides.push_back({"data.cache_dir", folder / "cache"});
  overrides.push_back({"train.batch_size", "6"});
  overrides.push_back({"data.workers", "0"});
  const LoadedConfig loaded = read_run_config("configs/debug/" + config + ".yaml", overrides, registry());
  return assemble(loaded, registry(), {.style = ProgressBar::Style::silent});
}

struct Learned {
  double first = 0, last = 0;
  Batch batch;
};

Learned learn_one_batch(Assembled& run, int64_t steps) {
  Learned learned{.batch = run.batches->next()};
  run.parts.model->eval();  // no dropout
  run.parts.objective->eval();
  const StepParts parts{
      .model = *run.parts.model, .objective = *run.parts.objective, .optimizer = *run.optimizer};
  for (int64_t step = 1; step <= steps; ++step) {
    const StepOutcome outcome = train_step(parts, {learned.batch}, step, 1e-2);
    learned.last = outcome.values[0].item<double>() / static_cast<double>(outcome.work.labels);
    learned.first = step == 1 ? learned.last : learned.first;
  }
  return learned;
}

}  // namespace

TEST_CASE("every task's model learns a batch by heart and predicts it") {
  TempDir folder;
  for (const std::string config : {"pair", "multi_label", "tags", "answers", "choices", "gpt1_task"}) {
    INFO(config);
    Assembled run = assembled(config, folder);
    const Learned learned = learn_one_batch(run, 120);
    CHECK(learned.last < 0.2 * learned.first);
    const at::NoGradGuard no_grad;
    Predictions predictions;
    Stream stream({});
    const Losses losses =
        run.parts.objective->loss_and_predictions(*run.parts.model, learned.batch, stream, predictions);
    CHECK(mean_loss(losses, learned.batch).item<double>() < 0.2 * learned.first);
    CHECK(predictions.classes.given == predictions.classes.expected);
    CHECK(predictions.sets.given == predictions.sets.expected);
    CHECK(predictions.tags.given == predictions.tags.expected);
    for (const PassageAnswer& answer : predictions.answers) {
      const auto& truths = answer.passage->answers;
      CHECK(answer.best.front().text == (truths.empty() ? "" : answer.passage->part(truths.front())));
    }
  }
}

TEST_CASE("numbers, replies and completions are learned by heart") {
  TempDir folder;
  for (const std::string config : {"regression", "text_to_text", "completion"}) {
    INFO(config);
    Assembled run = assembled(config, folder);
    const Learned learned = learn_one_batch(run, 120);
    CHECK(learned.last < 0.2 * learned.first);
  }
}

TEST_CASE("text to text runs on a decoder-only model, too: the source is seen from both sides") {
  TempDir folder;
  Assembled run = assembled(
      "text_to_text", folder, {{"model", "{type: gpt, layers: 1, width: 32, heads: 2, ffn_width: 64}"}});
  const Learned learned = learn_one_batch(run, 120);
  CHECK(learned.batch.inputs.prefix.size() == 6);
  CHECK(learned.last < 0.2 * learned.first);
}

TEST_CASE("BERT's pooler is trained through the head that reads it") {
  TempDir folder;
  Assembled run = assembled("pair", folder);
  const Tensor before = run.parts.model->named_parameters()["pooler.weight"].detach().clone();
  learn_one_batch(run, 2);
  CHECK_FALSE(at::equal(before, run.parts.model->named_parameters()["pooler.weight"]));
}
