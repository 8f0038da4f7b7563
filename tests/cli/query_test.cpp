// Commands that answer a question, and how the program refuses what it does not understand.
#include <algorithm>
#include <map>
#include <sstream>

#include "base/check.h"
#include "cli/command.h"
#include "cli/program.h"
#include "io/json.h"
#include "support/catch.h"
#include "support/files.h"
#include "train/run/assemble.h"

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

TEST_CASE("help COMMAND is its help, and no line of any help is wider than 80 columns") {
  CHECK(test::run({"help", "train"}).out == test::run({"train", "--help"}).out);
  CHECK_THAT(test::run({"help", "trian"}).err, Catch::Contains("did you mean 'train'?"));
  std::vector<std::string> texts{test::run({"--help"}).out};
  for (const Command& command : commands()) {
    texts.push_back(test::run({std::string(command.name), "--help"}).out);
  }
  for (const std::string& text : texts) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      INFO(line);
      CHECK(line.size() <= 80);
    }
  }
}

TEST_CASE("keys of other programs, and keys of other sections, are told by our name") {
  struct Case {
    std::string key, meant;
  };
  const auto [key, meant] = GENERATE(values<Case>({{"learning_rate", "optimizer.lr"},
                                                   {"train.learning_rate", "optimizer.lr"},
                                                   {"train.lr", "optimizer.lr"},
                                                   {"num_epochs", "train.epochs"},
                                                   {"batch_size", "train.batch_size"},
                                                   {"data.batch_size", "train.batch_size"},
                                                   {"optimizer.warmup_steps", "schedule.warmup_steps"},
                                                   {"model.hidden_size", "model.width"}}));
  const Outcome outcome = test::run({"plan", "configs/debug/bert.yaml", "--set", key + "=8"});
  CHECK(outcome.code == 2);
  CHECK_THAT(outcome.err,
             Catch::Contains(key + ": unknown key") && Catch::Contains("(did you mean '" + meant + "'?)"));
}

TEST_CASE("a run in place of a YAML, and a YAML in place of a run, are told what was meant") {
  const test::TempDir dir;
  test::write_file(dir / "run/config.yaml", "name: x\n");
  for (const char* command : {"plan", "inspect", "train"}) {
    const Outcome outcome = test::run({command, dir / "run"});
    INFO(outcome.err);
    CHECK(outcome.code == 2);
    CHECK_THAT(
        outcome.err,
        Catch::Contains("run is a run, and a YAML is wanted: its own is") && Catch::Contains("--resume)"));
  }
  for (const char* command : {"eval", "generate", "fill-mask", "classify"}) {
    const Outcome outcome = test::run({command, "configs/debug/bert.yaml"}, "a\n");
    INFO(outcome.err);
    CHECK(outcome.code == 2);
    CHECK_THAT(outcome.err, Catch::Contains("is a configuration, and a run is wanted: lmzoo train configs"));
  }
}

TEST_CASE("generate takes --text as others do, writes no more than there is room for, and says so") {
  const test::TempDir dir;
  const std::string run = dir / "run";
  const Outcome trained = test::run({"train",
                                     "configs/debug/gpt.yaml",
                                     "--out",
                                     run,
                                     "--set",
                                     "train.steps=2",
                                     "--set",
                                     "schedule.warmup_steps=0"});
  REQUIRE(trained.code == 0);
  CHECK_THAT(trained.err,
             Catch::Contains("next:\n  lmzoo generate " + run) && Catch::Contains("lmzoo report " + run));
  const Outcome now = test::run({"generate", run, "--text", "the owl", "--max-tokens", "4", "--json"});
  CHECK(now.out == test::run({"generate", run, "--prompt", "the owl", "--max-tokens", "4", "--json"}).out);
  CHECK(parse_json(now.out, "output").is_object());
  CHECK_THAT(test::run({"generate", run, "--prompt", "a", "--text", "b"}).err,
             Catch::Contains("give one of them"));
  const Outcome lines =
      test::run({"generate", run, "--max-tokens", "1000", "--temperature", "1", "--json"}, "the owl\n");
  CHECK(lines.code == 0);
  CHECK_THAT(lines.err, Catch::Contains("the model takes 64: at most ") && Catch::Contains(", not 1000"));
  const Json all = parse_json(lines.out, "output");
  REQUIRE(all.is_array());
  CHECK(all.at(0)["ids"].size() < 64);
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
  const std::map<std::string, double> expected{{"parameters", 4'488'384},
                                               {"flops_per_token", 14'488'704},
                                               {"tokens_per_step", 2'048},
                                               {"memory_bytes", 308'321'860},
                                               {"source_length", 128},
                                               {"target_length", 128},
                                               {"raw_length", 226}};
  for (const auto& [key, value] : expected) {
    INFO(key);
    CHECK(plan[key].get<double>() == value);
  }
  CHECK(plan["warnings"] ==
        Json{"the tokenizer is not trained yet: its size is taken from tokenizer.vocab_size"});
  CHECK_THAT(test::run({"plan", "configs/debug/bert.yaml"}).out,
             Catch::StartsWith("debug-bert: bert on masked_lm\n"));
}

TEST_CASE("list and schema tell what can be written") {
  const Json all = json_of({"list", "--json"});
  const auto listed = [](const Json& entries) {
    std::vector<std::string> names;
    for (const Json& entry : entries) {
      names.push_back(entry["name"].get<std::string>());
    }
    return names;
  };
  const Registry registry = make_registry();
  std::vector<std::string> models, objectives, presets;
  for (const auto& [name, family] : registry.models()) {
    models.push_back(name);
    for (const auto& [preset, options] : family.presets) {
      presets.push_back(preset);
    }
  }
  for (const auto& [name, objective] : registry.objectives()) {
    objectives.push_back(name);
  }
  CHECK(listed(all["models"]) == models);
  CHECK(listed(all["objectives"]) == objectives);
  CHECK(listed(all["presets"]) == presets);
  CHECK(json_of({"list", "optimizers", "--json"})["optimizers"][0]["name"] == "adamw");
  CHECK(json_of({"list", "presets", "--json"}) == Json{{"presets", all["presets"]}});
  CHECK(std::ranges::find(presets, "bert-base") != presets.end());
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
  const std::map<std::string, size_t> expected{{"bert", 6}, {"gpt", 64}, {"t5", 14}, {"classify", 0}};
  CHECK(labels == expected.at(name));
  CHECK((name != "classify" || examples[0]["label"] == "lively"));
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
  const auto of_step = [&](const char* key) { return step[key].get<double>(); };
  CHECK(of_step("tokens_per_s") * of_step("step_ms") / 1e3 == Approx(8 * 64));  // a batch of full windows
  CHECK(of_step("target_tokens_per_s") == of_step("tokens_per_s"));
  CHECK(of_step("share_of_products") == Approx(of_step("flops_per_s") / of_step("product_flops_per_s")));
  CHECK(of_step("step_ms_fastest") <= of_step("step_ms"));
  const test::TempDir dir;
  const auto figures_of = [&](const std::string& what) {
    return json_of(
        {"bench", what, "configs/debug/t5.yaml", "--json", "--set", "data.cache_dir=" + (dir / "cache")});
  };
  const Json loader = figures_of("loader");
  CHECK(loader["windows"] == 48);
  // 8 windows of 64 ids of a source and 14 of a target, but for the short last ones
  CHECK(loader["tokens_per_s"].get<double>() / loader["batches_per_s"].get<double>() ==
        Approx(621.3).epsilon(0.01));
  const Json tokenizer = figures_of("tokenizer");
  CHECK(tokenizer["bytes_per_token"].get<double>() == Approx(4.638853));
  CHECK(tokenizer["encode_bytes_per_s"].get<double>() / tokenizer["encode_tokens_per_s"].get<double>() ==
        Approx(4.638853));
}
