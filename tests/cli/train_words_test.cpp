// Runs of word vectors through the program: stopped by a signal and continued, and given odd text.
#include <filesystem>

#include "cli/program.h"
#include "io/json.h"
#include "support/catch.h"
#include "support/files.h"

using namespace lmzoo;
using test::Outcome;

namespace {

struct WordsWorkspace {
  test::TempDir dir;

  std::vector<std::string> train(const std::string& out,
                                 const std::vector<std::string>& settings = {}) const {
    std::vector<std::string> arguments{"train", "configs/debug/skipgram.yaml", "--out", dir / out};
    for (const std::string& setting : {"data.cache_dir=" + (dir / "cache"), std::string("train.threads=1")}) {
      arguments.insert(arguments.end(), {"--set", setting});
    }
    for (const std::string& setting : settings) {
      arguments.insert(arguments.end(), {"--set", setting});
    }
    return arguments;
  }

  std::string corpus(const std::string& text) const {
    test::write_file(dir / "corpus.txt", text);
    return "data.train.files=[" + (dir / "corpus.txt") + "]";
  }
};

}  // namespace

TEST_CASE("SIGTERM saves word vectors, and the continued run is the uninterrupted one") {
  const WordsWorkspace work;
  std::vector<std::string> arguments = work.train("stopped", {"train.epochs=6000"});
  const Outcome stopped = test::run_until(arguments, work.dir / "stopped/metrics.jsonl");
  INFO(stopped.err);
  CHECK(stopped.code == 128 + 15);
  CHECK(test::newest_weights(work.dir / "stopped").size() > 1000);
  arguments.emplace_back("--resume");
  CHECK(test::run(arguments).code == 0);
  CHECK(test::run(work.train("whole", {"train.epochs=6000"})).code == 0);
  CHECK(test::newest_weights(work.dir / "stopped") == test::newest_weights(work.dir / "whole"));
}

TEST_CASE(
    "text that is not UTF-8, long words and blank lines train; no text and rare words are one-line errors") {
  const WordsWorkspace work;
  const std::string odd =
      "a b \xFF\xFE c a b\n\n   \na b " + std::string(3000, 'x') + std::string(1, '\0') + " b a\n";
  const Outcome trained = test::run(work.train("odd", {work.corpus(odd), "tokenizer.min_count=1"}));
  INFO(trained.err);
  CHECK(trained.code == 0);
  CHECK(test::read_file(work.dir / "odd/tokenizer/words.tsv").substr(0, 8) == "a\t4\nb\t4\n");

  const Outcome rare = test::run(work.train("rare", {work.corpus("one two\n"), "tokenizer.min_count=3"}));
  CHECK(rare.code == 2);
  CHECK_THAT(rare.err, Catch::Contains("tokenizer.min_count: is 3, but none of the 2 different words"));
  CHECK_FALSE(std::filesystem::exists(work.dir / "rare"));
  const Outcome empty = test::run(work.train("empty", {work.corpus("")}));
  CHECK(empty.code == 2);
  CHECK_FALSE(std::filesystem::exists(work.dir / "empty"));
}

TEST_CASE("plan knows word vectors") {
  const Outcome outcome = test::run({"plan", "configs/debug/cbow.yaml", "--json"});
  CHECK(outcome.code == 0);
  const Json plan = Json::parse(outcome.out);
  CHECK(plan["epochs"] == 20);
  CHECK(plan["parameters"] == 2 * 16 * 68);
  const Outcome tree = test::run({"inspect", "configs/debug/cbow.yaml", "-n", "1"});
  CHECK_THAT(tree.out,
             Catch::Contains("  around ") && Catch::Contains("  predict ") && Catch::Contains(" path "));
  const Outcome noise = test::run({"inspect", "configs/debug/skipgram.yaml", "-n", "1"});
  CHECK_THAT(noise.out,
             Catch::Contains("  around ") && Catch::Contains(" not ") && !Catch::Contains("every position"));
}
