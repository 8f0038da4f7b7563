// Mixtures of objectives (objectives/mixture.cpp) and of texts (data/batches/mixture.h), as runs have them.
#include <cmath>
#include <filesystem>
#include <map>

#include "core/batch_part.h"
#include "data/batches/collate.h"
#include "io/files.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/files.h"
#include "train/debug_configs.h"
#include "train/run/assemble.h"
#include "train/run/train_run.h"
#include "train/saved/checkpoint.h"
#include "train/saved/metrics_rows.h"

using namespace lmzoo;
using namespace lmzoo::test;
using Catch::Matchers::Contains;

namespace {

const std::string kTwo =
    "objective={type: mixture, components: [{objective: {type: causal_lm}, weight: 3}, "
    "{name: rest, objective: {type: prefix_lm}}]}";

Parts mixture_parts(const LoadedConfig& loaded) {
  return build_parts(loaded, registry(), foresee_vocabulary(loaded, true).vocabulary, {});
}

Sample text_of(int64_t corpus, int64_t length = 40) {
  Sample sample;
  for (int64_t i = 0; i < length; ++i) {
    sample.ids.push_back(10 + i % 60);
  }
  sample.corpus = corpus;
  return sample;
}

std::string error_of_mixture(const std::string& objective) {
  return error_of([&] { debug_plan("gpt", {"objective=" + objective}); });
}

}  // namespace

TEST_CASE("the component that reads a window is drawn by weight; an evaluation gives it to all") {
  const Parts parts = mixture_parts(debug_config("gpt", {kTwo}));
  const std::vector<Slot> slots = parts.objective->slots();
  REQUIRE(slots.size() == 2);
  CHECK(slots[0].name == "causal_lm");
  CHECK(slots[1].name == "rest");
  constexpr int64_t kDraws = 20'000;
  int64_t first = 0;
  for (int64_t i = 0; i < kDraws; ++i) {
    Stream stream({.seed = 1, .sample = static_cast<uint64_t>(i)});
    const auto made = parts.objective->examples(text_of(0, 5), {}, stream);
    REQUIRE(made.size() == 1);
    first += made[0].targets.front().slot == 0 ? 1 : 0;
    CHECK((made[0].layout == Layout::stream) == (made[0].targets.front().slot == 0));
  }
  CHECK(std::abs(static_cast<double>(first) - 0.75 * kDraws) < 5 * std::sqrt(kDraws * 0.75 * 0.25));
  Stream stream({.seed = 1});
  CHECK(parts.objective->examples(text_of(0), {.evaluates = true}, stream).size() == 2);
  const auto asked = parts.objective->examples(text_of(-1), {.evaluates = true}, stream);  // a query
  REQUIRE(asked.size() == 1);
  CHECK(asked[0].layout == Layout::stream);
}

TEST_CASE("a mixture's loss is each component's own mean loss times its share") {
  const Parts parts = mixture_parts(debug_config("gpt", {kTwo}));
  std::vector<Example> examples;
  for (uint64_t i = 0; i < 12; ++i) {
    Stream stream({.seed = 3, .sample = i});
    examples.push_back(parts.objective->example(text_of(0, 20 + static_cast<int64_t>(i)), {}, stream));
  }
  const std::vector<Slot> slots = parts.objective->slots();
  const Batch batch = collate(examples, {Architecture::decoder_only, parts.vocabulary, slots});
  Stream stream({});
  parts.model->eval();
  const double mixed = mean_loss(parts.objective->loss(*parts.model, batch, stream), batch).item<double>();
  double expected = 0;
  const std::map<int64_t, std::pair<std::string, double>> components{{0, {"causal_lm", 0.75}},
                                                                     {1, {"prefix_lm", 0.25}}};
  for (const auto& [slot, component] : components) {
    const Parts alone = mixture_parts(debug_config("gpt", {"objective={type: " + component.first + "}"}));
    std::vector<int64_t> own;
    for (size_t i = 0; i < examples.size(); ++i) {
      if (examples[i].targets.front().slot == slot) {
        own.push_back(static_cast<int64_t>(i));
      }
    }
    REQUIRE(own.size() > 1);
    const Batch part = part_of(batch, own, {.first = slot, .slots = std::span(slots).subspan(slot, 1)});
    expected +=
        component.second * mean_loss(alone.objective->loss(*parts.model, part, stream), part).item<double>();
  }
  CHECK(mixed == Approx(expected).epsilon(1e-5));
}

TEST_CASE("a mixture trains on texts by their shares, tells them apart, and goes on bit for bit") {
  const TempDir folder;
  const std::vector<std::string> changes{
      "train={steps: 12, batch_size: 8, save_every: 5, keep_last: 9, log_every: 4}"};
  const LoadedConfig loaded = debug_config("mixture", changes);
  const std::string straight = folder / "straight", stopped = folder / "stopped";
  train_run(loaded, registry(), straight, {});
  int64_t text = 0, tasks = 0;
  std::vector<std::string> sets;
  for_each_metrics_row(straight + "/metrics.jsonl", [&](MetricsRow& row) {
    if (row.kind == "train") {
      text += row.values["windows"]["train"].get<int64_t>();
      tasks += row.values["windows"]["tasks"].get<int64_t>();
      CHECK(row.values["slot_labels"].contains("reply"));
    } else if (row.kind == "eval") {
      sets.push_back(row.values["split"]);
      CHECK_FALSE(row.values.contains("bits_per_byte"));
    }
  });
  CHECK(text + tasks == 96);
  CHECK(tasks > 10);
  CHECK(tasks < 40);  // a quarter of each epoch
  CHECK(sets == std::vector<std::string>{"valid", "valid.tasks"});
  std::filesystem::copy(straight, stopped, std::filesystem::copy_options::recursive);
  for (const std::string& checkpoint : list_checkpoints(stopped)) {
    if (read_state(checkpoint).step > 5) {
      std::filesystem::remove_all(checkpoint);
    }
  }
  train_run(loaded, registry(), stopped, {.resume = true});
  for (const std::string file : {"/model.safetensors", "/optimizer.safetensors"}) {
    CHECK(read_text_file(checkpoint_folder(stopped, 12) + file, size_t{1} << 28) ==
          read_text_file(checkpoint_folder(straight, 12) + file, size_t{1} << 28));
  }
}

TEST_CASE("components that cannot be are refused in a sentence") {
  CHECK_THAT(error_of_mixture("{type: mixture}"), Contains("mixture needs components"));
  CHECK_THAT(error_of_mixture("{type: mixture, components: [{objective: {type: masked_lm}}]}"),
             Contains("masked_lm"));
  CHECK_THAT(error_of_mixture("{type: mixture, components: [{objective: {type: skipgram}}]}"),
             Contains("skipgram"));
  CHECK_THAT(
      error_of_mixture(
          "{type: mixture, components: [{objective: {type: causal_lm}}, {objective: {type: causal_lm}}]}"),
      Contains("two components are called 'causal_lm'"));
  CHECK_THAT(
      error_of_mixture("{type: mixture, ask: b, components: [{name: a, objective: {type: causal_lm}}]}"),
      Contains("ask: is 'b', but no component has that name"));
  CHECK_THAT(
      error_of_mixture("{type: mixture, components: [{objective: {type: causal_lm}, corpora: other}]}"),
      Contains("corpora has 'other', but the texts of this run are train"));
  CHECK_THAT(error_of_mixture("{type: mixture, components: [{objective: {type: causal_lm, rate: 1}}]}"),
             Contains("rate"));
  CHECK_THAT(error_of([] { debug_plan("mixture", {"objective.components.1.corpora=train"}); }),
             Contains("target"));
}

TEST_CASE("texts of a mixture that mean nothing are refused where they stand") {
  const auto refused = [](const std::string& change) {
    return error_of([&] { debug_plan("mixture", {change}); });
  };
  CHECK_THAT(refused("data.mixture.corpora=[]"), Contains("data.mixture"));
  CHECK_THAT(refused("data.mixture.corpora.0.name=train"), Contains("is no name for another text"));
  CHECK_THAT(refused("data.mixture.temperature=2"),
             Contains("has no effect unless data.mixture.shares is size"));
  CHECK_THAT(refused("data.mixture.corpora.0.weight=0"), Contains("more than 0"));
  CHECK_THAT(refused("data.mixture.corpora.0.train.label=x"),
             Contains("classes are those of data.train alone"));
  CHECK_THAT(error_of([] {
               debug_plan(
                   "skipgram",
                   {"data.mixture={corpora: [{name: a, train: {files: [configs/debug/data/valid.txt]}}]}"});
             }),
             Contains("data.mixture: has no effect on word vectors"));
}

TEST_CASE("a mixture is asked with the prefix and the columns of the text that its asked component learned") {
  const Parts tasks = mixture_parts(debug_config("mixture"));
  CHECK(tasks.reading.prefix == std::vector<std::string>{"mood of: "});
  CHECK(tasks.reading.record.target);
  CHECK_FALSE(tasks.shape().record.target);  // of data.train
  const Parts text = mixture_parts(debug_config("mixture", {"objective.ask=text"}));
  CHECK(text.reading.prefix.empty());
  CHECK_FALSE(text.reading.record.target);
}
