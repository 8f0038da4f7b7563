// How long a run is: by epochs, and longer than it was planned.
#include "cli/program.h"
#include "cli/workspace.h"
#include "io/json.h"
#include "support/catch.h"
#include "support/files.h"

using namespace lmzoo;
using test::check_one_line;
using test::checkpoint;
using test::Outcome;
using test::Workspace;

TEST_CASE("epochs are as many steps as see every window so often, for every model") {
  const Workspace work;
  const auto with = [&](const std::string& command, const std::vector<std::string>& more) {
    std::vector<std::string> arguments{command, "configs/debug/gpt.yaml"};
    for (const std::string& setting :
         {"data.cache_dir=" + (work.dir / "cache"),
          std::string("train={epochs: 2, batch_size: 8, threads: 1, device: cpu}"),
          std::string("schedule.warmup_steps=0")}) {
      arguments.insert(arguments.end(), {"--set", setting});
    }
    arguments.insert(arguments.end(), more.begin(), more.end());
    return test::run(arguments);
  };
  CHECK(parse_json(with("plan", {"--json"}).out, "plan")["steps"].is_null());  // the text is not encoded yet
  const Outcome trained = with("train", {"--out", work.out});
  INFO(trained.err);
  REQUIRE(trained.code == 0);
  const Json plan = parse_json(with("plan", {"--json"}).out, "plan");
  const auto windows = plan["data"]["train"]["windows"].get<int64_t>();
  const int64_t steps = (2 * windows + 7) / 8;
  CHECK(plan["steps"] == steps);
  CHECK_THAT(trained.out, Catch::Contains(": " + std::to_string(steps) + " steps,"));
  CHECK(with("train", {"--out", work.out, "--resume"}).code == 0);
  check_one_line(
      with("train", {"--out", work.dir / "no", "--set", "schedule.warmup_steps=100000"}),
      "schedule.warmup_steps: = 100000 but must be at most train.steps = " + std::to_string(steps));
  check_one_line(with("plan", {"--set", "train.steps=7"}),
                 "train.epochs: is 2 beside train.steps = 7; give one of them");
}

TEST_CASE("a run is extended by steps, at another rate and batch size, and says what that is not") {
  const Workspace work;
  const std::vector<std::string> constant{"--set", "schedule={type: constant}"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.end(), constant.begin(), constant.end());
    return test::run(work.train(more));
  };
  check_one_line(with({"--extend", "4"}), "holds no run with a checkpoint; without --extend it begins");
  REQUIRE(with({}).code == 0);
  const Outcome more = with({"--extend", "4"});
  INFO(more.err);
  REQUIRE(more.code == 0);
  CHECK_THAT(more.out, Catch::Contains(": 16 steps,"));
  CHECK_THAT(more.err,
             Catch::Contains("extends the run from 12 to 16 steps") && !Catch::Contains("the schedule ("));
  CHECK_THAT(test::read_file(work.out + "/config.yaml"), Catch::Contains("steps: 16"));
  const std::string end = test::read_file(checkpoint(work.out, 16) + "/model.safetensors");
  const std::string straight = work.dir / "straight";
  std::vector<std::string> whole = work.train({"--set", "train.steps=16"});
  whole[3] = straight;
  whole.insert(whole.end(), constant.begin(), constant.end());
  REQUIRE(test::run(whole).code == 0);
  CHECK(end == test::read_file(checkpoint(straight, 16) + "/model.safetensors"));
  check_one_line(with({"--extend", "4", "--set", "model.layers=3"}),
                 "--extend: model.layers is 3, but the run in ");
  const Outcome other = with({"--extend", "2", "--set", "optimizer.lr=1e-4", "--set", "train.batch_size=4"});
  INFO(other.err);
  REQUIRE(other.code == 0);
  CHECK_THAT(other.out, Catch::Contains(": 18 steps,"));
  CHECK_THAT(other.err, Catch::Contains("train.batch_size was ") && Catch::Contains("optimizer.lr was "));
  CHECK(test::run({"train", work.out + "/config.yaml", "--out", work.out, "--resume"}).code == 0);
  check_one_line(with({"--resume"}), "--extend STEPS continues it");
}
