// Several seeds and a small grid in one command, and the comparison of two runs.
#include <cmath>
#include <filesystem>
#include <map>

#include "cli/program.h"
#include "io/json.h"
#include "support/catch.h"
#include "support/files.h"

using namespace lmzoo;
using test::Outcome;

namespace {

struct SweepWorkspace {
  test::TempDir dir;
  std::string out = dir / "sweep";

  std::vector<std::string> sweep(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments{"sweep", "configs/debug/classify.yaml", "--out", out};
    for (const std::string& set : {"data.cache_dir=" + (dir / "cache"),
                                   std::string("train.steps=12"),
                                   std::string("train.save_every=4"),
                                   std::string("eval.every=6"),
                                   std::string("train.threads=1"),
                                   std::string("train.device=cpu")}) {
      arguments.push_back("--set");
      arguments.push_back(set);
    }
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
};

void check_refused(const Outcome& outcome, const std::string& mention) {
  INFO(outcome.err);
  CHECK(outcome.code == 2);
  CHECK_THAT(outcome.err, Catch::Contains(mention));
  CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
}

}  // namespace

TEST_CASE("a sweep trains every cell with every seed, tells means and deviations, and is not done twice") {
  const SweepWorkspace space;
  const std::vector<std::string> command =
      space.sweep({"--seeds", "1,2", "--grid", "optimizer.lr=1e-3,5e-3", "--json"});
  const Outcome first = test::run(command);
  INFO(first.err);
  REQUIRE(first.code == 0);
  const Json result = parse_json(first.out, "out");
  REQUIRE(result["cells"].size() == 2);
  const Json& cell = result["cells"][1];
  CHECK(cell["set"]["optimizer.lr"] == "5e-3");
  REQUIRE(cell["runs"].size() == 2);
  CHECK(cell["metrics"]["accuracy"]["count"] == 2);
  const double a = cell["runs"][0]["accuracy"].get<double>(), b = cell["runs"][1]["accuracy"].get<double>();
  CHECK(cell["metrics"]["accuracy"]["mean"].get<double>() == Approx((a + b) / 2));
  CHECK(cell["metrics"].contains("matthews_correlation"));
  const std::string run = space.out + "/optimizer.lr=5e-3/seed-2";
  CHECK(std::filesystem::exists(run + "/config.yaml"));
  CHECK_THAT(test::read_file(space.out + "/report.html"), Catch::Contains("optimizer.lr=5e-3"));

  const auto files = test::files_below(run);
  const Outcome again = test::run(command);
  REQUIRE(again.code == 0);
  CHECK(again.out == first.out);
  CHECK_THAT(again.err, Catch::Contains("run 4 of 4: " + run + " is finished"));
  CHECK(test::files_below(run) == files);

  const Outcome compared = test::run({"compare",
                                      space.out + "/optimizer.lr=1e-3/seed-1",
                                      run,
                                      "--metric",
                                      "accuracy",
                                      "--metric",
                                      "f1_macro",
                                      "--resamples",
                                      "200",
                                      "--trials",
                                      "200",
                                      "--json"});
  INFO(compared.err);
  REQUIRE(compared.code == 0);
  const Json test = parse_json(compared.out, "out");
  REQUIRE(test["metrics"].size() == 2);
  const Json& row = test["metrics"][0];
  CHECK(row["b"].get<double>() == Approx(b));
  CHECK(row["difference"].get<double>() == Approx(row["b"].get<double>() - row["a"].get<double>()));
  CHECK(row["low"].get<double>() <= row["high"].get<double>());
  for (const char* name : {"p_bootstrap", "p_randomization"}) {  // (k of 200 + 1) / 201, 0 <= k <= 200
    const double rank = row[name].get<double>() * 201;
    CHECK(rank == Approx(std::round(rank)).epsilon(1e-9));
    CHECK((rank > 0.5 && rank < 201.5));
  }
  const Json same = parse_json(test::run({"compare", run, run, "--json"}).out, "out")["metrics"][0];
  for (const auto& [key, value] : std::map<std::string, double>{
           {"difference", 0}, {"low", 0}, {"high", 0}, {"p_bootstrap", 1}, {"p_randomization", 1}}) {
    INFO(key);
    CHECK(same[key].get<double>() == value);
  }
  CHECK_THAT(test::run({"compare", run, run}).out, Catch::Contains("95 % interval"));
  check_refused(test::run({"compare", run, run, "--metric", "bleu"}), "this task has no metric 'bleu'");
}

TEST_CASE("an interrupted sweep goes on where it was, to the same weights") {
  const SweepWorkspace space;
  const std::vector<std::string> command = space.sweep({"--seeds", "1"});
  const std::string weights = "/seed-1/checkpoints/step-0000012/model.safetensors";
  const Outcome stopped = test::run_until(command, space.out + "/seed-1/checkpoints/step-0000004");
  CHECK((stopped.code == 143 || stopped.code == 0));
  const Outcome rest = test::run(command);
  INFO(rest.err);
  REQUIRE(rest.code == 0);
  CHECK_THAT(rest.out, Catch::Contains("accuracy"));
  const SweepWorkspace whole;
  REQUIRE(test::run(whole.sweep({"--seeds", "1"})).code == 0);
  CHECK(test::read_file(space.out + weights) == test::read_file(whole.out + weights));
}

TEST_CASE("a sweep with a wrong flag is refused in one line, and writes nothing") {
  const SweepWorkspace space;
  const auto refused = [&](const std::vector<std::string>& more, const std::string& mention) {
    check_refused(test::run(space.sweep(more)), mention);
  };
  refused({"--seeds", "1,x"}, "--seeds is '1,x'");
  refused({"--seeds", "1,1"}, "--seeds has 1 twice");
  refused({"--grid", "optimizer.lr"}, "--grid is 'optimizer.lr'");
  refused({"--grid", "optimizer.lrr=1,2"}, "optimizer.lrr");
  refused({"--grid", "optimizer.lr=1e-3,fast"}, "optimizer.lr");
  refused({"--grid", "train.steps=1,2"}, "train.steps is set twice");
  refused({"--set", "seed=4"}, "--seeds");
  refused({"--set", "data.valid=null", "--set", "eval.every=0"}, "data.valid");
  refused({"--set", "eval.best_by=acuracy"}, "did you mean 'accuracy'");
  refused({"--set", "eval.metrics=[f2]"}, "'f2' is no metric");
  check_refused(test::run({"sweep", "configs/debug/classify.yaml"}), "--out DIR is missing");
  check_refused(test::run({"compare", space.out, space.out}), "no such run");
  CHECK_FALSE(std::filesystem::exists(space.out));
}

TEST_CASE("eval shows every metric of a task, a run those that its YAML names") {
  const SweepWorkspace space;
  const Outcome run = test::run(space.sweep({"--seeds",
                                             "3",
                                             "--set",
                                             "eval.metrics=[f1_macro, recall]",
                                             "--set",
                                             "eval.best_by=f1_macro",
                                             "--json"}));
  INFO(run.err);
  REQUIRE(run.code == 0);
  const Json metrics = parse_json(run.out, "out")["cells"][0]["metrics"];
  CHECK(metrics.contains("f1_macro"));
  CHECK(metrics.contains("recall"));
  CHECK_FALSE(metrics.contains("matthews_correlation"));
  const Outcome evaluated = test::run({"eval", space.out + "/seed-3", "--json"});
  REQUIRE(evaluated.code == 0);
  const Json all = parse_json(evaluated.out, "out");
  for (const char* name : {"loss", "accuracy", "f1", "matthews_correlation", "f1_weighted", "roc_auc"}) {
    CHECK(all.contains(name));
  }
  CHECK(all["f1_macro"].get<double>() == Approx(metrics["f1_macro"]["mean"].get<double>()));
  const std::string checkpoint = parse_json(evaluated.out, "out")["checkpoint"];
  CHECK(read_json(checkpoint + "/state.json")["best"]["metric"] == "f1_macro");
}
