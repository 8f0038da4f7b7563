// Word vectors with n-grams through the program: unknown words are answered, and what is exported is what is
// asked.
#include <filesystem>

#include "cli/program.h"
#include "io/json.h"
#include "io/word_vectors.h"
#include "support/catch.h"
#include "support/files.h"

using namespace lmzoo;
using test::Outcome;

namespace {

// Two topics; all words of one have a stem in common.
std::string text() {
  const std::vector<std::vector<std::string>> topics{
      {"feline", "felines", "felinely", "felinity", "prefeline", "felino"},
      {"granite", "granites", "granitic", "granitoid", "regranite", "granito"}};
  std::string made;
  uint64_t state = 7;
  for (int line = 0; line < 3000; ++line) {
    for (int i = 0; i < 8; ++i) {
      state = state * 6364136223846793005U + 1442695040888963407U;
      made += topics[static_cast<size_t>(line % 2)][(state >> 33) % 6] + " ";
    }
    made += "\n";
  }
  return made;
}

struct NgramWorkspace {
  test::TempDir dir;

  std::string train(const std::string& name, const std::vector<std::string>& settings = {}) const {
    test::write_file(dir / "corpus.txt", text());
    std::vector<std::string> arguments{"train", "configs/debug/skipgram.yaml", "--out", dir / name};
    const auto set = [&](const std::string& setting) {
      arguments.insert(arguments.end(), {"--set", setting});
    };
    set("data.cache_dir=" + (dir / "cache"));
    set("data.train.files=[" + (dir / "corpus.txt") + "]");
    set("model.ngrams={min: 3, max: 5, buckets: 2000}");
    set("train.epochs=4");
    for (const std::string& setting : settings) {
      set(setting);
    }
    const Outcome trained = test::run(arguments);
    INFO(trained.err);
    REQUIRE(trained.code == 0);
    return dir / name;
  }
};

Json ngrams_json(std::vector<std::string> arguments) {
  arguments.push_back("--json");
  const Outcome outcome = test::run(arguments);
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  return parse_json(outcome.out, "output");
}

}  // namespace

TEST_CASE("an unknown word is near the words that share its n-grams, in neighbors, similarity and embed") {
  const NgramWorkspace work;
  const std::string run = work.train("run", {"train.threads=1"});
  const Json found = ngrams_json({"neighbors", run, "Felinesque", "--top", "5"});
  REQUIRE(found["neighbors"].size() == 5);
  for (const Json& neighbor : found["neighbors"]) {
    CHECK_THAT(neighbor["word"].get<std::string>(), Catch::Contains("felin"));
  }
  const auto cosine = [&](const std::string& other) {
    return ngrams_json({"similarity", run, "--text", "felinesque " + other})["cosine"].get<double>();
  };
  CHECK(cosine("feline") > cosine("granite") + 0.2);

  // What is exported is what is asked: the vectors of words, and of those that the run does not know.
  CHECK(test::run({"embed", run, "--all", "--out", work.dir / "all.vec"}).code == 0);
  const WordVectors all = read_word_vectors(work.dir / "all.vec").table;
  CHECK(all.size() == 12);
  CHECK(test::run({"embed", run, "--out", work.dir / "some.vec"}, "felinesque\nfeline\n").code == 0);
  const WordVectors some = read_word_vectors(work.dir / "some.vec").table;
  CHECK(some.words == std::vector<std::string>{"felinesque", "feline"});
  const Json of_file = ngrams_json({"neighbors", work.dir / "all.vec", "feline", "--top", "3"});
  CHECK(of_file == ngrams_json({"neighbors", run, "feline", "--top", "3"}));
}

TEST_CASE("a short word without n-grams has no vector, and a run without n-grams knows no unknown word") {
  const NgramWorkspace work;
  const std::string run =
      work.train("run", {"model.ngrams={min: 6, max: 6, buckets: 100}", "train.epochs=1"});
  const Outcome none = test::run({"neighbors", run, "ox"});
  CHECK(none.code == 2);
  CHECK(none.err == "'ox' has no vector\n");
  const std::string plain = work.train("plain", {"model.ngrams=null", "train.epochs=1"});
  CHECK(test::run({"neighbors", plain, "felinesque"}).code == 2);
}

TEST_CASE(
    "n-grams train to the same bits with one thread and with a fixed schedule, and go on where they were") {
  const NgramWorkspace work;
  for (const std::string threads : {"1", "2"}) {
    const std::vector<std::string> settings{"train.threads=" + threads, "train.deterministic=true"};
    const std::string one = work.train("one" + threads, settings);
    CHECK(test::newest_weights(one) == test::newest_weights(work.train("two" + threads, settings)));
  }
  CHECK(test::newest_weights(work.dir / "one1") != test::newest_weights(work.dir / "one2"));
}
