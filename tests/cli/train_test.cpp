// Whole runs through the program: begun, interrupted, continued, evaluated, and refused when something is
// damaged.
#include <filesystem>

#include <unistd.h>

#include "cli/program.h"
#include "cli/workspace.h"
#include "io/file_lock.h"
#include "io/json.h"
#include "io/manifest.h"
#include "support/catch.h"
#include "support/files.h"

using namespace lmzoo;
using test::check_one_line;
using test::checkpoint;
using test::Outcome;
using test::Workspace;

namespace {

void flip_a_byte(const std::string& path) {
  std::string bytes = test::read_file(path);
  REQUIRE(bytes.size() > 100);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 0x20);
  test::write_file(path, bytes);
}

}  // namespace

TEST_CASE("a run is trained, left alone when finished, and evaluated") {
  const Workspace space;
  const Outcome first = test::run(space.train());
  INFO(first.err);
  REQUIRE(first.code == 0);
  CHECK_THAT(first.out, Catch::Contains("12 steps"));
  for (const char* name : {"config.yaml", "metrics.jsonl", "tokenizer/lmzoo_tokenizer.json"}) {
    CHECK(std::filesystem::exists(space.out + "/" + name));
  }
  const std::string rows = test::read_file(space.out + "/metrics.jsonl");
  CHECK_THAT(rows, Catch::StartsWith(R"({"kind":"text","step":0,"split":"train","tokens":)"));
  check_one_line(test::run(space.train()),
                 "holds a run already: go on with --resume, or choose another --out");
  check_one_line(
      test::run(space.train({"--resume", "--set", "train.steps=13", "--set", "schedule.warmup_steps=1"})),
      "--resume: ");

  const std::string weights = test::read_file(checkpoint(space.out, 12) + "/model.safetensors");
  CHECK(test::run(space.train({"--resume", "--set", "train.log_every=3"})).code == 0);
  CHECK(test::read_file(checkpoint(space.out, 12) + "/model.safetensors") == weights);

  const Outcome plan = test::run({"plan", space.out + "/config.yaml", "--json"});
  REQUIRE(plan.code == 0);
  CHECK(parse_json(plan.out, "plan")["data"]["train"]["tokens_estimated"] == false);
  for (const std::string& path : {space.out, checkpoint(space.out, 12)}) {
    const Outcome result = test::run({"eval", path, "--json", "--threads", "1"});
    INFO(result.err);
    REQUIRE(result.code == 0);
    const Json json = parse_json(result.out, "eval");
    for (const char* key : {"loss", "perplexity", "accuracy", "tokens", "labels"}) {
      CHECK(json[key].is_number());
    }
    const std::string log = test::read_file(space.out + "/metrics.jsonl");
    CHECK_THAT(log, Catch::Contains(Json(json["loss"]).dump().substr(0, 6)));
  }
  CHECK(test::run({"eval", space.out, "--data", "configs/debug/data/train.txt"}).code == 0);
  check_one_line(test::run({"eval", space.out, "--split", "test"}), "this run has no data.test");
  check_one_line(test::run({"eval", space.out, "--task", "masked_ml"}), "did you mean 'masked_lm'?");
  check_one_line(test::run({"eval", space.out, "--task", "causal_lm"}), "does not go with model bert");
}

TEST_CASE("a stopped run exits with 128 + signal, and goes on to the same weights") {
  const Workspace space;
  const std::vector<std::string> changes{"--set", "train.steps=400", "--set", "train.save_every=20"};
  const Outcome stopped = test::run_until(space.train(changes), checkpoint(space.out, 20));
  INFO(stopped.err);
  REQUIRE(stopped.code == 128 + 15);
  CHECK_THAT(stopped.err, Catch::Contains("go on with --resume"));
  std::vector<std::string> resumed = changes;
  resumed.push_back("--resume");
  REQUIRE(test::run(space.train(resumed)).code == 0);

  const Workspace straight;
  REQUIRE(test::run(straight.train(changes)).code == 0);
  CHECK(test::read_file(checkpoint(space.out, 400) + "/model.safetensors") ==
        test::read_file(checkpoint(straight.out, 400) + "/model.safetensors"));
}

TEST_CASE("what a query or a resume trusts is compared with what was written") {
  const Workspace space;
  REQUIRE(test::run(space.train()).code == 0);
  const std::string config = space.out + "/config.yaml";
  for (const std::string& path : {config, space.out + "/tokenizer/lmzoo_tokenizer.json"}) {
    const std::string good = test::read_file(path);
    std::string bad = good;
    bad[bad.find('1')] = '2';
    test::write_file(path, bad);
    check_one_line(test::run({"eval", space.out}), path + ": is damaged");
    check_one_line(test::run(space.train({"--resume"})), path + ": is damaged");
    test::write_file(path, good);
  }
  test::write_file(config, test::read_file(config) + "# a note\n");
  check_one_line(test::run({"eval", space.out}),
                 "changed on purpose? Then delete " + space.out + "/manifest.json");
  write_manifest(space.out, {"config.yaml"});
  check_one_line(test::run({"eval", space.out}), "manifest.json: does not list tokenizer/manifest.json");
  check_one_line(test::run({"doctor", space.out}), "1 of ");
  std::filesystem::remove(space.out + "/manifest.json");
  CHECK(test::run({"eval", space.out}).code == 0);
}

TEST_CASE("a damaged newest checkpoint is told by every command that opens the run") {
  const Workspace space;
  REQUIRE(test::run(space.train({"--set", "train.keep_last=2", "--set", "train.save_every=6"})).code == 0);
  flip_a_byte(checkpoint(space.out, 12) + "/model.safetensors");
  const std::string expected =
      "warning: checkpoint " + checkpoint(space.out, 12) + " is damaged and passed over";
  for (const std::vector<std::string>& command :
       {std::vector<std::string>{"eval", space.out},
        {"fill-mask", space.out, "--text", "the [MASK] owl"},
        {"embed", space.out, "--text", "the owl"},
        {"report", space.out, "--out", space.dir / "report.html"}}) {
    const Outcome outcome = test::run(command);
    INFO(command[0] << outcome.err);
    CHECK(outcome.code == 0);
    CHECK_THAT(outcome.err, Catch::Contains(expected));
  }
}

TEST_CASE("a run goes on with the text that it has learned from, by its content") {
  const Workspace space;
  const std::string text = space.dir / "text.txt";
  test::write_file(text, test::read_file("configs/debug/data/train.txt"));
  std::vector<std::string> changes{"--set", "data.train.files=[" + text + "]"};
  REQUIRE(test::run(space.train(changes)).code == 0);
  changes.push_back("--resume");
  test::write_file(text, test::read_file(text));  // written again
  CHECK(test::run(space.train(changes)).code == 0);
  test::write_file(text, test::read_file(text) + "one more line\n");
  check_one_line(test::run(space.train(changes)), "--resume: the training text is another than");
  changes.push_back("--allow-other-data");
  const Outcome allowed = test::run(space.train(changes));
  CHECK(allowed.code == 0);
  CHECK_THAT(allowed.err, Catch::Contains("warning: the training text is another than before"));
}

TEST_CASE(
    "a token store that becomes shorter under a run ends it in one line; it goes on from its last "
    "checkpoint") {
  const Workspace space;
  std::vector<std::string> arguments =
      space.train({"--set", "train.steps=400", "--set", "train.save_every=20"});
  const Outcome ended = test::run_with_act(arguments, checkpoint(space.out, 20), [&](pid_t) {
    for (const auto& [path, bytes] : test::files_below(space.dir / "cache")) {
      if (path.find("/tokens-") != std::string::npos) {
        std::filesystem::resize_file(path, 0);
      }
    }
  });
  check_one_line(ended, ": became shorter while it was read");
  arguments.push_back("--resume");
  const Outcome resumed = test::run(arguments);
  CHECK(resumed.code == 0);
  CHECK_THAT(resumed.err, Catch::Contains("goes on after step"));
}

TEST_CASE("an evaluation writes where it was told, and not where the run's configuration says") {
  const Workspace space;
  REQUIRE(test::run(space.train()).code == 0);
  std::filesystem::remove_all(space.dir / "cache");
  REQUIRE(test::run({"eval", space.out, "--cache", space.dir / "mine"}).code == 0);
  CHECK_FALSE(std::filesystem::exists(space.dir / "cache"));
  CHECK(std::filesystem::exists(space.dir / "mine"));
}

TEST_CASE("a second trainer of a run is refused while the first one works, whatever it wants of it") {
  const Workspace space;
  {
    std::filesystem::create_directories(space.out);
    const FileLock first(space.out + "/.lock", "it");
    check_one_line(test::run(space.train()), "is in use by process " + std::to_string(::getpid()));
    check_one_line(test::run(space.train({"--resume"})), "wait for it, or stop it");
    CHECK_FALSE(std::filesystem::exists(space.out + "/config.yaml"));
  }
  CHECK(test::run(space.train()).code == 0);
}

TEST_CASE("a fine-tuned run begins from the weights of another") {
  const Workspace space;
  REQUIRE(test::run(space.train()).code == 0);
  const std::string other = space.dir / "other";
  const std::vector<std::string> again{"train",
                                       "configs/debug/bert.yaml",
                                       "--out",
                                       other,
                                       "--set",
                                       "train.steps=1",
                                       "--set",
                                       "schedule.warmup_steps=0",
                                       "--set",
                                       "data.cache_dir=" + (space.dir / "cache"),
                                       "--set",
                                       "warm_start.from=" + space.out};
  const Outcome tuned = test::run(again);
  INFO(tuned.err);
  CHECK(tuned.code == 0);
  CHECK_THAT(tuned.err, Catch::Contains("begins from " + space.out));
  std::vector<std::string> wider = again;
  wider[3] = space.dir / "wider";
  wider.insert(wider.end(), {"--set", "model.width=64"});
  check_one_line(test::run(wider), "warm_start");
  CHECK_FALSE(std::filesystem::exists(wider[3]));
}

TEST_CASE("damaged and missing parts of a run are named in one line") {
  const Workspace space;
  REQUIRE(test::run(space.train()).code == 0);
  SECTION("checkpoint") {
    flip_a_byte(checkpoint(space.out, 12) + "/model.safetensors");
    check_one_line(test::run({"eval", checkpoint(space.out, 12)}), "model.safetensors");
    check_one_line(test::run({"eval", space.out}), space.out);
    check_one_line(test::run(space.train({"--resume"})), "every checkpoint is damaged");
  }
  SECTION("no checkpoint") {
    std::filesystem::remove_all(space.out + "/checkpoints");
    check_one_line(test::run({"eval", space.out}), "checkpoint");
  }
  SECTION("tokenizer") {
    test::write_file(space.out + "/tokenizer/lmzoo_tokenizer.json", "{\"format\": ");
    check_one_line(test::run({"eval", space.out}), "lmzoo_tokenizer.json");
    std::filesystem::remove_all(space.out + "/tokenizer");
    check_one_line(test::run({"eval", space.out}), "tokenizer/manifest.json: no such file");
  }
  SECTION("configuration") {
    test::write_file(space.out + "/config.yaml", "model: {type: bert}\n");
    check_one_line(test::run({"eval", space.out}), "config.yaml: has 20 bytes, the manifest says");
    std::filesystem::remove(space.out + "/manifest.json");
    check_one_line(test::run({"eval", space.out}), "config.yaml:1:1: objective: is missing");
  }
  SECTION("no run at all") {
    check_one_line(test::run({"eval", space.dir / "cache"}), "is no run (it has no config.yaml)");
    check_one_line(test::run({"eval", space.dir / "nothing"}), "no such run or checkpoint folder");
  }
}

TEST_CASE("a damaged cache is made anew, or named where it is read") {
  const Workspace space;
  REQUIRE(test::run(space.train()).code == 0);
  int runs = 0;
  const auto again = [&] {
    std::vector<std::string> arguments = space.train();
    arguments[3] = space.dir / ("again" + std::to_string(runs++));
    return std::pair{test::run(arguments), arguments[3]};
  };
  const auto check_same = [&] {
    const auto [outcome, run] = again();
    INFO(outcome.err);
    REQUIRE(outcome.code == 0);
    CHECK(test::read_file(checkpoint(run, 12) + "/model.safetensors") ==
          test::read_file(checkpoint(space.out, 12) + "/model.safetensors"));
  };
  const auto for_each_file = [&](bool stores, const auto& use) {
    int count = 0;
    for (const auto& [path, bytes] : test::files_below(space.dir / "cache")) {
      const bool is_store = path.find("/tokens-") != std::string::npos;
      if (bytes.size() > 100 && is_store == stores) {
        use(path, bytes);
        ++count;
      }
    }
    CHECK(count > 0);
  };
  for_each_file(false, [](const std::string& path, const std::string&) { flip_a_byte(path); });
  for_each_file(true, [](const std::string& path, const std::string& bytes) {
    test::write_file(path, bytes.substr(0, bytes.size() - 1));
  });
  check_same();
  // A store may be larger than memory: its inside is compared when it is read.
  for_each_file(true, [](const std::string& path, const std::string&) { flip_a_byte(path); });
  check_one_line(again().first, "token store is damaged");
  for_each_file(true, [](const std::string& path, const std::string&) { std::filesystem::remove(path); });
  check_same();
}

TEST_CASE("the doctor reads every file of a run, and names what is damaged") {
  const Workspace space;
  REQUIRE(test::run(space.train()).code == 0);
  const Outcome whole = test::run({"doctor", space.out});
  INFO(whole.out << whole.err);
  REQUIRE(whole.code == 0);
  for (const std::string& part : {space.out + "/config.yaml",
                                  space.out + "/tokenizer",
                                  space.out + "/metrics.jsonl",
                                  checkpoint(space.out, 12),
                                  space.dir / "cache/tokens-"}) {
    CHECK_THAT(whole.out, Catch::Contains("whole    " + part));
  }
  CHECK_THAT(whole.out, !Catch::Contains("damaged"));

  std::string store;
  for (const auto& [path, bytes] : test::files_below(space.dir / "cache")) {
    store = path.find("/tokens-") != std::string::npos ? path : store;
  }
  std::string tokenizer;
  for (const auto& [path, bytes] : test::files_below(space.out + "/tokenizer")) {
    tokenizer = bytes.size() > 100 && path.find("manifest") == std::string::npos ? path : tokenizer;
  }
  const std::string weights = checkpoint(space.out, 12) + "/optimizer.safetensors";
  for (const auto& [damaged, reported] : {std::pair{store, store},
                                          {tokenizer, space.out + "/tokenizer"},
                                          {weights, checkpoint(space.out, 12)}}) {
    const std::string before = test::read_file(damaged);
    flip_a_byte(damaged);
    const Outcome found = test::run({"doctor", space.out});
    INFO(damaged << "\n" << found.out);
    CHECK(found.code == 2);
    CHECK_THAT(found.out, Catch::Contains("damaged  " + reported));
    CHECK_THAT(found.err, Catch::Contains(space.out + ": 1 of ") && Catch::Contains(" files are damaged"));
    test::write_file(damaged, before);
  }
  CHECK(test::run({"doctor", store}).code == 0);
  CHECK(test::run({"doctor", checkpoint(space.out, 12)}).code == 0);
  // A row that was being written when the process was killed is no damage.
  test::write_file(space.out + "/metrics.jsonl",
                   test::read_file(space.out + "/metrics.jsonl") + "{\"kind\": ");
  const Outcome cut = test::run({"doctor", space.out, "--json"});
  CHECK(cut.code == 0);
  CHECK_THAT(cut.out, Catch::Contains("its last row is cut"));
  check_one_line(test::run({"doctor", space.dir / "cache"}),
                 "is no run folder, no checkpoint folder and no token store");
}

TEST_CASE("text that cannot be used, and a folder that cannot be written, leave nothing behind") {
  const Workspace space;
  test::write_file(space.dir / "empty.txt", "");
  test::write_file(space.dir / "blank.txt", "\n \n\n");
  test::write_file(space.dir / "one.tsv", "a\tb\nc\n");
  test::write_file(space.dir / "file", "");
  const auto with = [&](const std::string& file, const std::string& more = "seed=1") {
    return test::run(
        space.train({"--set", "data.train.files=['" + (space.dir / file) + "']", "--set", more}));
  };
  check_one_line(with("empty.txt"), "empty.txt");
  check_one_line(with("blank.txt"), "blank.txt");
  check_one_line(with("missing.txt"), "missing.txt");
  check_one_line(with("one.tsv", "data.train.text=\"2\""), "one.tsv:2");
  check_one_line(with("."), "data.train.files");
  CHECK_FALSE(std::filesystem::exists(space.out));
  std::vector<std::string> inside_a_file = space.train();
  inside_a_file[3] = space.dir / "file/run";
  check_one_line(test::run(inside_a_file), "is no folder");
}
