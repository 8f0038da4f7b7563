// Rows of a head that is taken over stay with their classes.
#include "train/start/head_classes.h"

#include "support/catch.h"
#include "support/errors.h"
#include "support/files.h"
#include "train/debug_configs.h"
#include "train/run/assemble.h"
#include "train/run/train_run.h"

using namespace lmzoo;
using namespace lmzoo::test;

namespace {

using Names = std::vector<std::string>;

std::string refused_rows(const Names& head, const Names& found) {
  return error_of([&] { classes_of_rows({.from = "hf", .names = head}, found); });
}

}  // namespace

TEST_CASE("the classes of a run stand in the order of the head's rows") {
  const auto rows = [](const Names& head, const Names& found) {
    return classes_of_rows({.from = "hf", .names = head}, found);
  };
  const Names nli{"entailment", "neutral", "contradiction"};
  CHECK(rows(nli, {"contradiction", "entailment", "neutral"}) == nli);
  CHECK(rows(nli, {"neutral"}) == nli);
  CHECK(rows(nli, {"0", "2"}) == Names{"0", "1", "2"});
  CHECK(rows({"LABEL_0", "LABEL_1"}, {"0", "1"}) == Names{"0", "1"});
  CHECK(refused_rows(nli, {"entailment", "maybe"}) ==
        "the head of hf has the classes entailment, neutral, contradiction, but the data has entailment, "
        "maybe; write "
        "the labels as the head does or as the numbers of its rows, 0 to 2, or begin with a fresh head "
        "(warm_start.objective: false)");
  CHECK_THAT(refused_rows(nli, {"0", "3"}), Catch::Contains("but the data has 0, 3"));
  CHECK_THAT(refused_rows(nli, {"0", "01"}), Catch::Contains("but the data has 0, 01"));
  CHECK_THAT(refused_rows({}, {"0"}), Catch::Contains("does not say which row of its head is which class"));
}

TEST_CASE("a run that takes over a head keeps its rows, though its data lack the first class") {
  const TempDir dir;
  const std::string cache = "data.cache_dir=" + (dir / "cache"), first = dir / "first";
  const std::vector<std::string> quick{cache, "train.steps=1", "schedule.warmup_steps=0", "eval.every=0"};
  train_run(debug_config("classify", quick), registry(), first, {});
  std::string some;
  for (int i = 0; i < 8; ++i) {
    some += "an owl sleeps\tlively\n";
  }
  write_file(dir / "some.tsv", some);
  const std::vector<std::string> changes{cache,
                                         "data.train.files=[" + (dir / "some.tsv") + "]",
                                         "model={from: " + first + "}",
                                         "tokenizer={from: " + first + "}",
                                         "warm_start.objective=true"};
  const LoadedConfig second = debug_config("classify", changes);
  CHECK(assemble(second, registry(), {.style = ProgressBar::Style::silent}).parts.classes ==
        Names{"calm", "lively"});
  write_file(dir / "some.tsv", some + "an owl sleeps\tgood\n");
  CHECK_THAT(error_of([&] { assemble(second, registry(), {.style = ProgressBar::Style::silent}); }),
             Catch::Contains("has the classes calm, lively, but the data has good, lively"));
}

TEST_CASE("a tokenizer is taken from a run, and embeddings that would meet other pieces are told") {
  const TempDir dir;
  const std::string cache = "data.cache_dir=" + (dir / "cache"), first = dir / "first";
  train_run(debug_config("bert", {cache, "train.steps=1", "schedule.warmup_steps=0", "eval.every=0"}),
            registry(),
            first,
            {});
  const auto note = [&](const std::vector<std::string>& changes) {
    std::vector<std::string> all{cache, "model={from: " + first + "}"};
    all.insert(all.end(), changes.begin(), changes.end());
    return assemble(debug_config("bert", all), registry(), {.style = ProgressBar::Style::silent})
        .tokenizer_note;
  };
  CHECK(note({"tokenizer={from: " + first + "}"}).empty());
  CHECK(debug_config("bert", {"tokenizer={from: " + first + "}"}).config.tokenizer.path ==
        first + "/tokenizer");
  CHECK_THAT(note({"tokenizer.files=[configs/debug/data/mood.train.tsv]"}),
             Catch::StartsWith("warning: ") && Catch::Contains("other pieces than in " + first));
  CHECK_THROWS_WITH(debug_config("bert", {"tokenizer={from: nowhere}"}),
                    Catch::Contains("tokenizer.from: expected a run or a folder with a published tokenizer"));
  CHECK_THROWS_WITH(debug_config("bert", {"tokenizer={from: " + first + ", lower: true}"}),
                    Catch::Contains("tokenizer.lower: does not go with tokenizer.from"));
}
