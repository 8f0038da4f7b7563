// tools/wordnet.py on a database of a few synsets, written here in WordNet's format.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>
#include <sstream>

#include "support/catch.h"
#include "support/files.h"

using lmzoo::test::read_file;
using lmzoo::test::TempDir;
using lmzoo::test::write_file;
namespace fs = std::filesystem;

namespace {

bool has_python() { return std::system("python3 --version > /dev/null 2>&1") == 0; }

struct Result {
  int status;
  std::string output, error;
};

Result run_script(const TempDir& dir, const std::string& arguments) {
  const std::string command = "python3 " LMZOO_SOURCE_DIR "/tools/wordnet.py " + arguments + " > " +
                              (dir / "stdout") + " 2> " + (dir / "stderr");
  const int status = std::system(command.c_str());
  return {WEXITSTATUS(status), read_file(dir / "stdout"), read_file(dir / "stderr")};
}

std::string arguments(const TempDir& dir) {
  return "--source " + (dir / "wn") + " --out " + (dir / "out") + " --synsets 0";
}

void write_database(const TempDir& dir) {
  const std::string licence = "  1 This software and database is being provided to you under a licence\n";
  write_file(
      dir / "wn/data.noun",
      licence +
          "02084071 05 n 03 dog 0 domestic_dog 0 Canis_familiaris 0 001 @ 02083346 n 0000 | a member of the "
          "genus Canis; often kept; \"the dog barked all night\"  \n"
          "02121620 05 n 02 cat 0 cat 1 000 | feline mammal: \"a cat\", \"cats\"\n");
  write_file(dir / "wn/data.verb",
             licence + "00001740 29 v 01 breathe 0 000 01 + 02 00 | draw air in, \"I can breathe\"\n");
  write_file(dir / "wn/data.adj",
             licence +
                 "00001740 00 a 0a able(p) 0 b 0 c 0 d 0 e 0 f 0 g 0 h 0 i 0 j(ip) 0 000 | "
                 "having power\n");
  write_file(dir / "wn/data.adv", licence + "00001740 02 r 01 a_cappella 0 000 | without   music\n");
}

// The lines of `prefix`SPLIT`suffix` over all three splits.
std::set<std::string> lines_of(const TempDir& dir, const std::string& prefix, const std::string& suffix) {
  std::set<std::string> all;
  for (const char* split : {"train", "valid", "test"}) {
    std::istringstream in(read_file(dir / ("out/" + prefix + split + suffix)));
    for (std::string line; std::getline(in, line);) {
      CHECK(all.insert(line).second);
    }
  }
  return all;
}

}  // namespace

TEST_CASE("wordnet.py writes documents, classes and words as readable text") {
  if (!has_python()) {
    LMZOO_SKIP("python3 is absent");
  }
  TempDir dir;
  write_database(dir);
  const Result result = run_script(dir, arguments(dir));
  INFO(result.error);
  REQUIRE(result.status == 0);
  CHECK_THAT(result.output, Catch::Contains("5 synsets of 4 classes"));
  CHECK(lines_of(dir, "", ".txt") ==
        std::set<std::string>{
            "dog, domestic dog, Canis familiaris: a member of the genus Canis; often kept; \"the dog "
            "barked all night\"",
            "cat: feline mammal: \"a cat\", \"cats\"",
            "breathe: draw air in, \"I can breathe\"",
            "able, b, c, d, e, f, g, h, i, j: having power",
            "a cappella: without music"});
  CHECK(lines_of(dir, "lexname.", ".tsv") ==
        std::set<std::string>{"a member of the genus Canis; often kept\tnoun.animal",
                              "feline mammal\tnoun.animal",
                              "draw air in\tverb.body",
                              "having power\tadj.all",
                              "without music\tadv.all"});
  CHECK(lines_of(dir, "reverse.", ".tsv") ==
        std::set<std::string>{"a member of the genus Canis; often kept\tdog",
                              "feline mammal\tcat",
                              "draw air in\tbreathe",
                              "having power\table",
                              "without music\ta cappella"});
  CHECK(read_file(dir / "out/lexname.train2k.tsv") == read_file(dir / "out/lexname.train.tsv"));
}

TEST_CASE("wordnet.py splits by the synset alone, and a second run changes nothing") {
  if (!has_python()) {
    LMZOO_SKIP("python3 is absent");
  }
  TempDir dir;
  write_database(dir);
  std::string nouns;
  for (int i = 0; i < 3000; ++i) {
    const std::string number = std::to_string(10'000'000 + i);
    nouns += number + " 05 n 01 word" + number + " 0 000 | meaning " + number + "\n";
  }
  write_file(dir / "wn/data.noun", nouns);
  REQUIRE(run_script(dir, arguments(dir)).status == 0);
  std::map<std::string, std::string> first;
  for (const auto& entry : fs::directory_iterator(dir / "out")) {
    first[entry.path().filename()] = read_file(entry.path());
  }
  CHECK(first.size() == 10);
  CHECK(lines_of(dir, "", ".txt").size() == 3003);
  // 2 % of 3,003 are 60; 5 standard deviations are 38.
  const auto count = [&](const char* name) {
    return std::count(first.at(name).begin(), first.at(name).end(), '\n');
  };
  CHECK(std::abs(count("valid.txt") - 60) < 38);
  CHECK(std::abs(count("test.txt") - 60) < 38);
  CHECK(count("lexname.train2k.tsv") == 2000);
  const std::string& few = first.at("lexname.train2k.tsv");
  CHECK(first.at("lexname.train.tsv").starts_with(few.substr(0, few.size() / 2)));
  for (const char* name : {"noun.animal", "verb.body", "adj.all", "adv.all"}) {
    CHECK((few.find(name) != std::string::npos) ==
          (first.at("lexname.train.tsv").find(name) != std::string::npos));
  }

  const auto written = fs::last_write_time(dir / "out/train.txt");
  REQUIRE(run_script(dir, arguments(dir)).status == 0);
  CHECK(fs::last_write_time(dir / "out/train.txt") == written);

  // A synset keeps its split whatever else is in the database.
  write_file(dir / "wn/data.noun", nouns.substr(0, nouns.find("10001500")));
  REQUIRE(run_script(dir, arguments(dir)).status == 0);
  std::istringstream valid(read_file(dir / "out/valid.txt"));
  for (std::string line; std::getline(valid, line);) {
    CHECK(first.at("valid.txt").find(line + "\n") != std::string::npos);
  }
}

TEST_CASE("wordnet.py keeps definitions of the training split out of the others' tables") {
  if (!has_python()) {
    LMZOO_SKIP("python3 is absent");
  }
  TempDir dir;
  write_database(dir);
  std::string nouns;
  for (int i = 0; i < 500; ++i) {
    nouns += std::to_string(10'000'000 + i) + " 05 n 01 word" + std::to_string(i) +
             " 0 000 | one meaning for all\n";
  }
  write_file(dir / "wn/data.noun", nouns);
  REQUIRE(run_script(dir, arguments(dir)).status == 0);
  CHECK(read_file(dir / "out/valid.txt").find("one meaning for all") != std::string::npos);
  CHECK(read_file(dir / "out/lexname.valid.tsv").find("one meaning for all") == std::string::npos);
  CHECK(read_file(dir / "out/reverse.test.tsv").find("one meaning for all") == std::string::npos);
}

TEST_CASE("wordnet.py refuses a missing, damaged or other database in one line") {
  if (!has_python()) {
    LMZOO_SKIP("python3 is absent");
  }
  TempDir dir;
  Result result = run_script(dir, arguments(dir));
  CHECK(result.status == 2);
  CHECK(result.error ==
        "wordnet.py: " + (dir / "wn/data.noun") +
            " does not exist: install WordNet (sudo apt-get install wordnet-base), or name its folder "
            "with --source\n");
  write_database(dir);
  result = run_script(dir, "--source " + (dir / "wn") + " --out " + (dir / "out"));
  CHECK(result.status == 2);
  CHECK_THAT(result.error, Catch::Contains("has 5 synsets, not 117,659"));
  write_file(dir / "wn/data.adv", "00001740 02 r 03 a_cappella 0 000 | without music\n");
  result = run_script(dir, arguments(dir));
  CHECK(result.status == 2);
  CHECK_THAT(result.error,
             Catch::StartsWith("wordnet.py: " + (dir / "wn/data.adv") + ":1: not a synset of WordNet"));
  CHECK_FALSE(fs::exists(dir / "out"));
  CHECK(run_script(dir, "--help").status == 0);
}
