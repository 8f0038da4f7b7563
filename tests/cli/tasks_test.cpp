// Tasks through the program: train, evaluate, ask.
#include "cli/program.h"
#include "io/json.h"
#include "support/catch.h"
#include "support/files.h"

using namespace lmzoo;
using namespace lmzoo::test;
using Catch::Matchers::Contains;

namespace {

std::string trained(const std::string& task, const TempDir& folder) {
  const std::string run_folder = folder / task;
  const Outcome outcome = run({"train",
                               "configs/debug/" + task + ".yaml",
                               "--out",
                               run_folder,
                               "--set",
                               "data.cache_dir=" + (folder / "cache")});
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  return run_folder;
}

Json tasks_json(const std::vector<std::string>& arguments) {
  const Outcome outcome = run(arguments);
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  return parse_json(outcome.out, "output");
}

}  // namespace

TEST_CASE("tag gives every word a class, eval scores entities") {
  const TempDir folder;
  const std::string tags = trained("tags", folder);
  const Json words = tasks_json({"tag", tags, "--text", "the old owl sleeps", "--json"})[0];
  REQUIRE(words.size() == 4);
  CHECK(words[2]["word"] == "owl");
  CHECK(words[0]["tag"] == "O");
  CHECK_THAT(run({"tag", tags, "--text", "the old owl sleeps"}).out, Contains("the/O old/"));
  CHECK(tasks_json({"eval", tags, "--json"})["overall_f1"].get<double>() > 0.3);
  const Outcome wrong = run({"answer", tags, "--question", "who?", "--passage", "the owl"});
  CHECK(wrong.code == 2);
  CHECK_THAT(wrong.err, Contains("objective question_answering"));
}

TEST_CASE("answer finds parts of passages, with places in bytes") {
  const TempDir folder;
  const std::string answers = trained("answers", folder);
  const std::string passage = "the old owl sleeps beside the red fox";
  const Json asked = tasks_json(
      {"answer", answers, "--question", "who does it?", "--passage", passage, "--top", "5", "--json"})[0];
  REQUIRE(asked["candidates"].size() == 5);
  for (const Json& candidate : asked["candidates"]) {
    const auto begin = candidate["begin_byte"].get<size_t>();
    CHECK(passage.substr(begin, candidate["end_byte"].get<size_t>() - begin) == candidate["text"]);
  }
  const Json result = tasks_json({"eval", answers, "--json"});
  CHECK(result.contains("exact_match"));
  CHECK(result.contains("f1"));
}

TEST_CASE("classify reads pairs, gives numbers, and chooses") {
  const TempDir folder;
  const std::string pair = "the owl sleeps\tthe fox sleeps";
  const Json classes =
      tasks_json({"classify", trained("pair", folder), "--text", pair, "--json"})[0]["classes"];
  REQUIRE(classes.size() == 2);
  CHECK(classes[0]["probability"].get<double>() + classes[1]["probability"].get<double>() == Approx(1));
  CHECK(tasks_json({"classify", trained("regression", folder), "--text", pair, "--json"})[0]["value"]
            .is_number());
  const std::string choices = trained("choices", folder);
  const Json chosen = tasks_json(
      {"classify", choices, "--text", "owl\tthe owl waits\tthe fox waits", "--json"})[0]["classes"];
  REQUIRE(chosen.size() == 2);
  CHECK((chosen[0]["class"] == "the owl waits" || chosen[0]["class"] == "the fox waits"));
  const Outcome one = run({"classify", choices, "--text", "owl"});
  CHECK(one.code == 2);
  CHECK_THAT(one.err, Contains("at least 2 choices"));
}

TEST_CASE("inspect shows the labels of every task") {
  const TempDir folder;
  for (const std::string task : {"pair",
                                 "multi_label",
                                 "regression",
                                 "tags",
                                 "answers",
                                 "choices",
                                 "text_to_text",
                                 "gpt1_task",
                                 "completion"}) {
    INFO(task);
    const Json examples = tasks_json({"inspect",
                                      "configs/debug/" + task + ".yaml",
                                      "-n",
                                      "2",
                                      "--json",
                                      "--set",
                                      "data.cache_dir=" + (folder / "cache")});
    CHECK(examples.dump().find("\"sequences\"") != std::string::npos);
  }
}
