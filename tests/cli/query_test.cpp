// Commands that answer a question, and how the program refuses what it does not understand.
#include "base/check.h"
#include "cli/command.h"
#include "cli/program.h"
#include "io/json.h"
#include "support/catch.h"
#include "support/files.h"

using namespace lmzoo;
using test::Outcome;

namespace {

Json json_of(const std::vector<std::string>& arguments) {
  const Outcome outcome = test::run(arguments);
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  return parse_json(outcome.out, "output");
}

}  // namespace

TEST_CASE("every command has help with an example, and the overview names them all") {
  const Outcome overview = test::run({"--help"});
  CHECK(overview.code == 0);
  for (const Command& command : commands()) {
    const std::string name(command.name);
    INFO(name);
    CHECK_THAT(overview.out, Catch::Contains("\n  " + name + " "));
    const Outcome help = test::run({name, "--help"});
    CHECK(help.code == 0);
    CHECK_THAT(help.out, Catch::StartsWith("Usage: lmzoo " + name + " "));
    CHECK_THAT(help.out, Catch::Contains("\nExample:\n  lmzoo " + name));
    CHECK(std::string(command.example).starts_with("lmzoo " + name));
  }
}

TEST_CASE("--version tells what this is") {
  const Outcome version = test::run({"--version"});
  CHECK(version.code == 0);
  for (const char* part : {"lmzoo ", "\nLibTorch 2.", "\ncompiler ", "\ncpu ", "\ngpu "}) {
    CHECK_THAT(version.out, Catch::Contains(part));
  }
}

TEST_CASE("what is not understood is one line with a suggestion, and exit 2") {
  struct Case {
    std::vector<std::string> arguments;
    std::string message;
  };
  const auto [arguments, message] = GENERATE(values<Case>({
      {{}, "lmzoo: a command is missing; see lmzoo --help\n"},
      {{"trian"}, "lmzoo: no command 'trian' (did you mean 'train'?); see lmzoo --help\n"},
      {{"plan"}, "lmzoo plan: CONFIG is missing; see lmzoo plan --help\n"},
      {{"plan", "a", "b"}, "lmzoo plan: 'b' is one argument too many; see lmzoo plan --help\n"},
      {{"plan", "a", "--jsn"},
       "lmzoo plan: unknown flag '--jsn' (did you mean '--json'?); see lmzoo plan --help\n"},
      {{"plan", "a", "--set", "b"}, "--set b: expected KEY=VALUE, as in --set train.steps=100\n"},
      {{"plan", "no.yaml"}, "no.yaml: *"},
      {{"inspect", "configs/debug/bert.yaml", "-n", "x"}, "--count: expected a whole number, got 'x'\n"},
      {{"inspect", "configs/debug/bert.yaml", "-n", "0"}, "--count is 0, but must be in [1, 10000]\n"},
      {{"list", "model"},
       "lmzoo list: cannot list 'model'; legal: models, objectives, optimizers, presets, commands (did you "
       "mean 'models'?)\n"},
      {{"tokenizer", "encod", "x"},
       "lmzoo tokenizer: no action 'encod'; legal: train, encode, decode, compare (did you mean "
       "'encode'?)\n"},
      {{"bench", "steps"},
       "lmzoo bench: cannot measure 'steps'; legal: step, machine, loader, tokenizer (did you mean "
       "'step'?)\n"},
  }));
  const Outcome outcome = test::run(arguments);
  CHECK(outcome.code == 2);
  CHECK(outcome.out.empty());
  const bool open = message.ends_with('*');
  CHECK_THAT(outcome.err, Catch::StartsWith(open ? message.substr(0, message.size() - 1) : message));
  CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
}

TEST_CASE("plan tells sizes and lengths as JSON, without data if wanted") {
  const Json plan = json_of({"plan", "configs/pretrain/t5_wordnet.yaml", "--no-data", "--json"});
  for (const char* key : {"parameters",
                          "flops_per_token",
                          "tokens_per_step",
                          "memory_bytes",
                          "source_length",
                          "target_length",
                          "raw_length"}) {
    INFO(key);
    CHECK(plan[key].get<double>() > 0);
  }
  CHECK(plan["warnings"].is_array());
  CHECK_THAT(test::run({"plan", "configs/debug/bert.yaml"}).out,
             Catch::StartsWith("debug-bert: bert on masked_lm\n"));
}

TEST_CASE("list and schema tell what can be written") {
  const Json all = json_of({"list", "--json"});
  CHECK(all["models"].size() >= 3);
  CHECK(all["objectives"].size() >= 4);
  CHECK(json_of({"list", "optimizers", "--json"})["optimizers"][0]["name"] == "adamw");
  CHECK(json_of({"list", "presets", "--json"})["presets"].size() >= 6);
  CHECK(json_of({"schema"})["properties"].contains("optimizer"));
}

TEST_CASE("a tokenizer encodes and decodes from a configuration") {
  const test::TempDir dir;
  const std::vector<std::string> from{"configs/debug/gpt.yaml", "--set", "data.cache_dir=" + (dir / "cache")};
  const auto with = [&](const std::string& action, const std::vector<std::string>& more) {
    std::vector<std::string> arguments{"tokenizer", action};
    arguments.insert(arguments.end(), from.begin(), from.end());
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  };
  const Json encoded = json_of(with("encode", {"--text", "an owl", "--json"}));
  REQUIRE(encoded["ids"].size() == 6);
  const std::string ids = encoded["ids"].dump();
  CHECK(test::run(with("decode", {"--text", ids})).out == "an owl\n");
  CHECK(test::run(with("decode", {}), ids).out == "an owl\n");
  CHECK(json_of(with("train", {"--out", dir / "saved", "--json"}))["vocabulary"] == 263);
  CHECK(test::run({"tokenizer", "encode", dir / "saved"}, "an owl\n").out ==
        test::run(with("encode", {"--text", "an owl"})).out);
  CHECK(test::run(with("decode", {"--text", "1 x"})).code == 2);
  CHECK(test::run(with("decode", {"--text", "99999"})).code == 2);
}

TEST_CASE("inspect shows what is read and predicted, in text, JSON and a page without a network") {
  const test::TempDir dir;
  const std::string name = GENERATE("bert", "gpt", "t5", "classify");
  const std::vector<std::string> from{
      "inspect", "configs/debug/" + name + ".yaml", "-n", "2", "--set", "data.cache_dir=" + (dir / "cache")};
  auto as_json = from;
  as_json.push_back("--json");
  const Json examples = json_of(as_json);
  REQUIRE(examples.size() == 2);
  const Json& last = examples[0]["sequences"].back();
  size_t labels = 0;
  for (const Json& position : last["positions"]) {
    labels += position["label"].is_null() ? 0 : 1;
  }
  CHECK((name == "classify" ? examples[0]["label"].is_string() : labels > 0));
  CHECK(examples[0]["sequences"].size() == (name == "t5" ? 2 : 1));
  CHECK_THAT(last["attention"].get<std::string>(), Catch::Contains("sees"));

  const Outcome text = test::run(from);
  CHECK_THAT(text.out, Catch::Contains("  read"));
  CHECK(text.out.find('\033') == std::string::npos);
  auto as_page = from;
  as_page.insert(as_page.end(), {"--html", dir / "page.html"});
  CHECK(test::run(as_page).code == 0);
  const std::string page = test::read_file(dir / "page.html");
  CHECK_THAT(page, Catch::StartsWith("<!doctype html>"));
  CHECK(page.find("http") == std::string::npos);
}

TEST_CASE("bench measures steps without data, and the pipeline with it") {
  const Json step =
      json_of({"bench", "step", "configs/debug/gpt.yaml", "--steps", "2", "--json", "--threads", "1"});
  for (const char* key : {"step_ms", "tokens_per_s", "peak_memory_bytes", "share_of_products"}) {
    CHECK(step[key].get<double>() > 0);
  }
  const test::TempDir dir;
  for (const char* what : {"loader", "tokenizer"}) {
    const Json figures = json_of(
        {"bench", what, "configs/debug/t5.yaml", "--json", "--set", "data.cache_dir=" + (dir / "cache")});
    CHECK(figures.size() >= 3);
  }
}
