// Questions to word vectors through the program.
#include <filesystem>

#include "cli/program.h"
#include "io/json.h"
#include "io/word_vectors.h"
#include "support/catch.h"
#include "support/files.h"

using namespace lmzoo;
using test::Outcome;

namespace {

std::string file(const std::string& name) { return test::golden("word_queries/" + name); }

Json vectors_json(std::vector<std::string> arguments, const std::string& input = "") {
  arguments.push_back("--json");
  const Outcome outcome = test::run(arguments, input);
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  return parse_json(outcome.out, "output");
}

// A transformer of a few steps, trained once for all tests of this file.
const std::string& small_run() {
  static const test::TempDir dir;
  static const std::string run = [] {
    const Outcome outcome = test::run({"train",
                                       "configs/debug/t5.yaml",
                                       "--out",
                                       dir / "run",
                                       "--set",
                                       "data.cache_dir=" + (dir / "cache"),
                                       "--set",
                                       "train.steps=12",
                                       "--set",
                                       "train.device=cpu"});
    INFO(outcome.err);
    REQUIRE(outcome.code == 0);
    return dir / "run";
  }();
  return run;
}

}  // namespace

TEST_CASE("neighbors of words are found in a file, from arguments and from standard input") {
  const Json one = vectors_json({"neighbors", file("vectors.txt"), "base0", "--top", "3"});
  CHECK(one["neighbors"].size() == 3);
  CHECK(one["neighbors"][0]["word"] == "Base0");
  CHECK(vectors_json({"neighbors", file("vectors.txt")}, "base0\nform5\n").size() == 2);
  const Outcome text = test::run({"neighbors", file("vectors.txt"), "form3 - base3 + base7"});
  CHECK_THAT(text.out, Catch::StartsWith("form3 - base3 + base7\n  0."));
  const Outcome unknown = test::run({"neighbors", file("vectors.txt"), "owl"});
  CHECK(unknown.code == 2);
  CHECK(unknown.err == "'owl' has no vector\n");
  CHECK(test::run({"neighbors", file("vectors.txt"), "base0", "--layer", "1"}).code == 2);
}

TEST_CASE("analogies are scored by section, or answered one by one") {
  const Json scored = vectors_json(
      {"analogy", file("vectors.txt"), file("questions.txt"), "--method", "mul", "--candidates", "40"});
  CHECK(scored["sections"].size() == 2);
  CHECK(scored["total"]["questions"] == 120);
  CHECK(scored["semantic"]["coverage"].get<double>() < 1);
  CHECK_THAT(test::run({"analogy", file("vectors.txt"), file("questions.txt")}).out,
             Catch::Contains("gram1-forms") && Catch::Contains("total"));
  const Json answered =
      vectors_json({"analogy", file("vectors.txt"), "--text", "base3 form3 base7", "--top", "2"});
  CHECK(answered["answers"].size() == 2);
  const Outcome wrong = test::run({"analogy", file("vectors.txt"), "--text", "a b", "--method", "mul"});
  CHECK(wrong.code == 2);
  CHECK(wrong.err == "expected three words, as in \"man king woman\", got 'a b'\n");
  CHECK_THAT(test::run({"analogy", file("vectors.txt"), "--method", "sub"}).err,
             Catch::StartsWith("--method: expected one of add, mul, got 'sub'"));
}

TEST_CASE("similarity tells the agreement with people, or one cosine") {
  const Json scored = vectors_json({"similarity", file("vectors.txt"), file("pairs.tsv")});
  CHECK(scored["pairs"] == 50);
  CHECK(scored["spearman"].is_number());
  CHECK(vectors_json({"similarity", file("vectors.txt"), "--text", "base0 BASE0"})["cosine"].get<double>() ==
        Approx(1));
}

TEST_CASE("embed copies vectors from one format to another without a bit lost") {
  const test::TempDir dir;
  const std::string text = dir / "v.txt", binary = dir / "v.bin", tensors = dir / "v.safetensors";
  CHECK(vectors_json({"embed", test::golden("io/gensim.bin"), "--all", "--out", text})["format"] == "text");
  CHECK(vectors_json({"embed", text, "--all", "--out", binary})["format"] == "binary");
  const WordVectors before = read_word_vectors(test::golden("io/gensim.bin")).table;
  const WordVectors after = read_word_vectors(binary).table;
  CHECK(after.words == before.words);
  CHECK(after.values == before.values);
  CHECK(vectors_json({"embed", text, "--text", "King queen", "--out", tensors, "--normalize"})["vectors"] ==
        1);
}

TEST_CASE("the same questions are answered by a transformer's embedding and layers") {
  const std::string& run = small_run();
  CHECK(vectors_json({"neighbors", run, "owl"})["neighbors"].size() == 10);
  CHECK(vectors_json({"neighbors", run, "owl", "--layer", "1", "--top", "2"})["neighbors"].size() == 2);
  CHECK(vectors_json({"similarity", run, "--text", "owl fox", "--layer", "2"})["cosine"].get<double>() <= 1);
  const Json embedded =
      vectors_json({"embed", run, "--layer", "1", "--pool", "first"}, "the old owl\nthe fox\n");
  CHECK(embedded.size() == 2);
  CHECK(embedded[0]["vector"].size() == 32);
  const test::TempDir dir;
  const Json written =
      vectors_json({"embed", run, "--out", dir / "v.txt", "--normalize"}, "the old owl\nthe fox\nthe fox\n");
  CHECK(written["vectors"] == 2);
  CHECK(read_word_vectors(dir / "v.txt").table.words == std::vector<std::string>{"the_old_owl", "the_fox"});
}

TEST_CASE("inspect shows a word in its contexts as text, JSON and a picture") {
  const std::string input = "the old owl sleeps\nan owl sees the fox\n";
  const std::vector<std::string> from{"inspect", small_run(), "--contextual", "owl", "--layer", "1"};
  CHECK(vectors_json(from, input)["occurrences"].size() == 2);
  CHECK_THAT(test::run(from, input).out, Catch::Contains("static vector"));
  const test::TempDir dir;
  auto page = from;
  page.insert(page.end(), {"--html", dir / "page.html"});
  CHECK(test::run(page, input).code == 0);
  CHECK_THAT(test::read_file(dir / "page.html"), Catch::Contains("<svg"));

  // The report of the run has the same picture beside the curves.
  const std::vector<std::string> report{
      "report", small_run(), "--contextual", "owl", "--out", dir / "report.html"};
  CHECK(test::run(report, input).code == 0);
  CHECK_THAT(test::read_file(dir / "report.html"),
             Catch::Contains("One word in context: owl") && Catch::Contains("static vector"));
}

TEST_CASE("training begins with word vectors and says how many tokens they reach") {
  const test::TempDir dir;
  test::write_file(dir / "v.txt", "3 4\nowl 1 2 3 4\nfox 4 3 2 1\nzebra 0 1 0 1\n");
  const std::vector<std::string> train{"train",
                                       "configs/debug/t5.yaml",
                                       "--out",
                                       dir / "run",
                                       "--set",
                                       "data.cache_dir=" + (dir / "cache"),
                                       "--set",
                                       "train.steps=12",
                                       "--set",
                                       "train.device=cpu",
                                       "--set",
                                       "warm_start.vectors.from=" + (dir / "v.txt")};
  const Outcome outcome = test::run(train);
  CHECK(outcome.code == 0);
  CHECK_THAT(outcome.err,
             Catch::Contains("2 of ") && Catch::Contains("begin with vectors of " + (dir / "v.txt")));
}

TEST_CASE("a word2vec run, its checkpoint and its exported file have the same neighbors") {
  const test::TempDir dir;
  const Outcome outcome = test::run({"train",
                                     "configs/debug/skipgram.yaml",
                                     "--out",
                                     dir / "run",
                                     "--set",
                                     "data.cache_dir=" + (dir / "cache"),
                                     "--set",
                                     "train.epochs=1"});
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  std::string checkpoint;
  for (const auto& entry : std::filesystem::directory_iterator(dir / "run/checkpoints")) {
    checkpoint = entry.is_directory() ? entry.path().string() : checkpoint;
  }
  CHECK(vectors_json({"embed", dir / "run", "--all", "--out", dir / "v.bin"})["vectors"] == 68);
  const Json found = vectors_json({"neighbors", dir / "run", "owl"});
  CHECK(found["neighbors"].size() == 10);
  CHECK(vectors_json({"neighbors", dir / "v.bin", "owl"}) == found);
  CHECK(vectors_json({"neighbors", checkpoint, "owl"}) == found);
}
