#include "train/run/phases.h"

#include <filesystem>

#include "io/files.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/files.h"
#include "train/debug_configs.h"
#include "train/run/train_run.h"
#include "train/saved/checkpoint.h"
#include "train/saved/metrics_rows.h"

using namespace lmzoo;
using namespace lmzoo::test;
using Catch::Matchers::Contains;

namespace {

LoadedConfig short_phases(const std::vector<std::string>& more = {}) {
  std::vector<std::string> changes{"train.steps=20",
                                   "train.batch_size=2",
                                   "train.save_every=3",
                                   "train.keep_last=100",
                                   "train.log_every=1"};
  changes.insert(changes.end(), more.begin(), more.end());
  return debug_config("phases", changes);
}

std::string bytes_of(const std::string& run, int64_t step, const std::string& file) {
  return read_text_file(checkpoint_folder(run, step) + "/" + file, size_t{1} << 28);
}

std::string error_of_phases(const std::vector<std::string>& changes) {
  return error_of([&] { debug_plan("phases", changes); });
}

}  // namespace

TEST_CASE("phases follow each other, and a run that stops in any of them ends as one that did not") {
  const TempDir folder;
  const std::string straight = folder / "straight";
  const TrainResult result = train_run(short_phases(), registry(), straight, {});
  CHECK(result.state.step == 20);
  CHECK(result.state.phase == 1);
  std::vector<std::pair<std::string, int64_t>> borders;
  std::vector<double> rates;
  for_each_metrics_row(straight + "/metrics.jsonl", [&](MetricsRow& row) {
    if (row.kind == "phase") {
      borders.emplace_back(row.values["name"], row.step);
    } else if (row.kind == "train") {
      rates.push_back(row.values["lr"]);
    }
  });
  CHECK(borders == std::vector<std::pair<std::string, int64_t>>{{"causal", 0}, {"masked", 10}});
  REQUIRE(rates.size() == 20);
  CHECK(rates[9] == Approx(2.5e-3));     // halfway through the cosine of the run
  CHECK(rates[10] == Approx(5e-3 / 3));  // the masked phase warms up by itself,
  CHECK(rates[12] == Approx(5e-3));
  CHECK(rates[19] == Approx(0).margin(1e-12));  // and cools down

  for (const int64_t step : {6, 9, 10, 12, 18}) {
    const std::string stopped = folder / ("stopped" + std::to_string(step));
    std::filesystem::copy(straight, stopped, std::filesystem::copy_options::recursive);
    for (const std::string& checkpoint : list_checkpoints(stopped)) {
      if (read_state(checkpoint).step > step) {
        std::filesystem::remove_all(checkpoint);
      }
    }
    train_run(short_phases(), registry(), stopped, {.resume = true});
    for (const char* file : {"model.safetensors", "optimizer.safetensors"}) {
      CHECK(bytes_of(stopped, 20, file) == bytes_of(straight, 20, file));
    }
  }
}

TEST_CASE("a run is asked as the phase of its checkpoint was trained") {
  const TempDir folder;
  const std::string run = folder / "run";
  train_run(short_phases({"phases.1.objective.rate=0.2"}), registry(), run, {});
  const LoadedRun last = load_run(run, registry());
  CHECK(last.config.config.objective.type == "masked_next_token");
  CHECK(last.config.config.data.sequence_length == 64);
  const LoadedRun first = load_run(checkpoint_folder(run, 10), registry());
  CHECK(first.config.config.objective.type == "causal_lm");
  CHECK(first.parts.model->max_length() == last.parts.model->max_length());
}

TEST_CASE("what a phase lacks of the one before begins afresh, and what it has goes on") {
  const TempDir folder;
  const std::string run = folder / "run";
  const LoadedConfig loaded = debug_config(
      "bert",
      {"train={steps: 8, batch_size: 4, save_every: 4, keep_last: 9}",
       "schedule={type: constant}",
       "tokenizer={type: char}",
       "phases=[{name: words, share: 0.5}, {name: spans, share: 0.5, objective: {type: spanbert}}]"});
  train_run(loaded, registry(), run, {});
  const std::string before = bytes_of(run, 4, "model.safetensors"),
                    after = bytes_of(run, 8, "model.safetensors");
  CHECK_THAT(after, Contains("objective.boundary"));
  CHECK_THAT(before, !Contains("objective.boundary"));
  CHECK_THAT(bytes_of(run, 8, "optimizer.safetensors"), Contains("objective.boundary"));
}

TEST_CASE("lengths of phases are shares, steps or tokens, and only one of them") {
  const LoadedConfig shares =
      debug_config("phases", {"train.steps=7", "phases.0.share=0.4", "phases.1.share=0.6"});
  const auto spans = phase_spans(shares, registry(), nullptr);
  REQUIRE(spans.size() == 2);
  CHECK(spans[0].steps == 3);
  CHECK(spans[1].steps == 4);
  CHECK(spans[1].place.first_step == 3);
  CHECK(spans[1].place.all_steps == 7);
  CHECK(phase_ends(spans) == std::vector<int64_t>{3});

  const LoadedConfig steps =
      debug_config("gpt", {"train={batch_size: 4}", "phases=[{name: a, steps: 5}, {name: b, steps: 6}]"});
  CHECK(steps.config.train.steps == 11);
  CHECK(phase_spans(steps, registry(), nullptr)[1].place.first_step == 5);

  const LoadedConfig tokens = debug_config(
      "gpt", {"train={batch_size: 4}", "phases=[{name: a, tokens: 1000}, {name: b, tokens: 256}]"});
  const auto tokenizer = make_run_tokenizer(tokens, ProgressBar::Style::silent);
  const auto of_tokens = phase_spans(tokens, registry(), tokenizer);
  CHECK(of_tokens[0].steps == 4);  // a stream of 64 ids a window, 4 windows a step
  CHECK(of_tokens[1].steps == 2);  // the last window of the text is shorter
}

TEST_CASE("phases that mean nothing are refused where they stand") {
  CHECK_THAT(error_of_phases({"phases=[]"}), Contains("--set phases: phases: expected a list"));
  CHECK_THAT(error_of_phases({"phases=[{name: a, share: 0.5, objctive: {type: causal_lm}}]"}),
             Contains("phases.0.objctive: unknown key; a phase has name"));
  CHECK_THAT(error_of_phases({"phases=[{name: a}]"}), Contains("one of steps, share and tokens must say"));
  CHECK_THAT(error_of_phases({"phases.1.name=causal"}), Contains("no name twice"));
  CHECK_THAT(error_of_phases({"phases.1.share=0.4"}), Contains("add up to 0.9, not to 1"));
  CHECK_THAT(error_of_phases({"phases.1.train={device: cuda}"}), Contains("belongs to the whole run"));
  CHECK_THAT(error_of_phases({"phases.1.model={type: bert}"}),
             Contains("phases.1.model: unknown key; a phase has"));
  CHECK_THAT(error_of_phases({"phases.1.objective.rate=2"}), Contains("objective.rate"));
  CHECK_THAT(error_of_phases({"phases.1={name: b, steps: 4}"}), Contains("lengths of different kinds"));
  CHECK_THAT(error_of_phases({"train.steps=1", "phases.1.schedule={}"}),
             Contains("has no step of the 1 of the run"));
  CHECK_THAT(error_of_phases({"train.save_at={words: [10]}"}), Contains("train.save_at"));
}

TEST_CASE("the resolved configuration of a run with phases is the same run") {
  const LoadedConfig loaded = debug_config("phases");
  const std::string text = to_yaml(dump(loaded.config));
  const LoadedConfig again = parse_run_config(text, "again.yaml", {}, registry());
  CHECK(to_yaml(dump(again.config)) == text);
  REQUIRE(again.phases.size() == 2);
  for (size_t i = 0; i < 2; ++i) {
    CHECK(to_yaml(dump(again.phases[i].loaded->config)) == to_yaml(dump(loaded.phases[i].loaded->config)));
  }
}
