// Resuming bit for bit: a run that was stopped at any time ends with the same weights and optimizer as one
// that was not.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "io/json.h"
#include "support/catch.h"
#include "support/files.h"
#include "train/fakes.h"
#include "train/loop/stop_signal.h"

using namespace lmzoo;
using namespace lmzoo::test;

namespace {

void settings(TinyRun& run) {
  run.options.micro_batches = 2;
  run.eval.every = 10;
  run.valid = tiny_eval_set();
}

Snapshot straight_run() {
  const TempDir folder;
  TinyRun run(folder.path());
  settings(run);
  run.train();
  return {copy_of(run.snapshot().weights), copy_of(run.snapshot().optimizer)};
}

// A new process: other initial weights, a fresh optimizer.
TrainResult finish(const std::string& folder, Snapshot& end) {
  TinyRun run(folder, 0.2, 77);
  settings(run);
  run.resume = true;
  const TrainResult result = run.train();
  end = {copy_of(run.snapshot().weights), copy_of(run.snapshot().optimizer)};
  return result;
}

}  // namespace

TEST_CASE("17 steps and a resumed 23 are 40 steps, weights and optimizer bit for bit") {
  const Snapshot straight = straight_run();
  const TempDir folder;
  TinyRun first(folder.path());
  settings(first);
  first.options.save_every = 17;
  first.batches.die_at = 2 * 25;  // in step 26: steps 18 to 25 are lost
  CHECK_THROWS_WITH(first.train(), "killed");
  Snapshot resumed;
  const TrainResult result = finish(folder.path(), resumed);
  CHECK(result.reason == StopReason::finished);
  CHECK(result.state.step == 40);
  CHECK(same(straight.weights, resumed.weights));
  CHECK(same(straight.optimizer, resumed.optimizer));
}

TEST_CASE("a run that is stopped by a signal at every step ends bit for bit as one that is not") {
  const Snapshot straight = straight_run();
  const TempDir folder;
  Snapshot resumed;
  {
    const StopSignal handlers;
    TinyRun run(folder.path());
    settings(run);
    run.batches.signal_at = 0;
    const TrainResult result = run.train();
    CHECK(result.reason == StopReason::signal);
    CHECK(result.signal == SIGTERM);
    CHECK(result.state.step == 1);  // the step in which it comes is finished and saved
  }
  for (int64_t step = 1; step < 39; ++step) {
    const StopSignal handlers;
    TinyRun run(folder.path(), 0.2, static_cast<uint64_t>(step));
    settings(run);
    run.resume = true;
    run.batches.signal_at = 2 * step;
    const TrainResult result = run.train();
    REQUIRE(result.resumed_at == step);
    REQUIRE(result.state.step == step + 1);
  }
  const TrainResult result = finish(folder.path(), resumed);
  CHECK(result.resumed_at == 39);
  CHECK(same(straight.weights, resumed.weights));
  CHECK(same(straight.optimizer, resumed.optimizer));
}

// The child of the next test: one run in the folder LMZOO_TEST_RUN, which it also resumes.
TEST_CASE("child that is killed", "[.killed]") {
  const char* folder = std::getenv("LMZOO_TEST_RUN");
  REQUIRE(folder != nullptr);
  TinyRun run(folder);
  settings(run);
  run.options.save_every = 1;
  run.resume = true;
  CHECK(run.train().reason == StopReason::finished);
}

TEST_CASE("a run whose process is killed again and again ends bit for bit as one that is not") {
  const Snapshot straight = straight_run();
  const TempDir folder;
  const std::string program = std::filesystem::read_symlink("/proc/self/exe");
  const auto child = [&](const std::string& how) {
    const std::string command = "LMZOO_TEST_RUN='" + folder.path().string() + "' " + how + " '" + program +
                                "' '[.killed]' > " + (folder / "out") + " 2>&1";
    return std::system(command.c_str());
  };
  for (const char* seconds : {"0.25", "0.5", "0.4", "0.3", "0.45"}) {
    child(std::string("timeout -s KILL ") + seconds);
  }
  REQUIRE(child("") == 0);
  TinyRun end(folder.path());
  load_checkpoint(resolve_checkpoint(folder.path(), true), end.snapshot());
  CHECK(same(straight.weights, end.snapshot().weights));
  CHECK(same(straight.optimizer, end.snapshot().optimizer));
}

TEST_CASE("metrics after a stop at any step and a kill are those of the uninterrupted run") {
  const auto rows_of = [](const TempDir& folder) {
    std::string rows;
    std::istringstream lines(read_file(folder / "metrics.jsonl"));
    for (std::string line; std::getline(lines, line);) {
      Json row = parse_json(line, "metrics.jsonl");
      for (const char* of_the_clock :
           {"tokens_per_s", "target_tokens_per_s", "flops_per_s", "memory_bytes", "seconds"}) {
        row.erase(of_the_clock);
      }
      rows += row.dump() + "\n";
    }
    return rows;
  };
  const auto begin = [](TinyRun& run) {
    settings(run);
    run.options.log_every = 7;
    run.eval.at_start = true;
    run.resume = true;
  };
  const TempDir straight, stopped;
  TinyRun whole(straight.path());
  begin(whole);
  whole.train();
  for (const int64_t step : {0, 3, 10, 25, 26}) {
    const StopSignal handlers;
    TinyRun run(stopped.path());
    begin(run);
    run.batches.signal_at = 2 * step;
    CHECK(run.train().state.step == step + 1);
  }
  TinyRun killed(stopped.path());
  begin(killed);
  killed.options.save_every = 29;
  killed.batches.die_at = 2 * 33;
  CHECK_THROWS(killed.train());
  TinyRun last(stopped.path());
  begin(last);
  CHECK(last.train().resumed_at == 30);  // where it was best
  CHECK(rows_of(stopped) == rows_of(straight));
}

TEST_CASE("a signal before the first step leaves a whole run of no step, which goes on to the same end") {
  const Snapshot straight = straight_run();
  const TempDir folder;
  {
    const StopSignal handlers;
    TinyRun run(folder.path());
    settings(run);
    std::raise(SIGTERM);
    const TrainResult result = run.train();
    CHECK(result.reason == StopReason::signal);
    CHECK(result.state.step == 0);
    CHECK(list_checkpoints(folder.path()) == std::vector<std::string>{checkpoint_folder(folder.path(), 0)});
  }
  Snapshot resumed;
  CHECK(finish(folder.path(), resumed).state.step == 40);
  CHECK(same(straight.weights, resumed.weights));
}

TEST_CASE("a resume with another text is refused, unless it is allowed") {
  const TempDir folder;
  const auto run_with = [&](const std::string& text, bool allowed) {
    TinyRun run(folder.path());
    run.inputs = {{"training text", text}};
    run.options.steps = text == "a" ? 8 : 9;
    run.resume = true;
    run.other_inputs = allowed;
    return run.train().state;
  };
  CHECK(run_with("a", false).inputs.at("training text") == "a");
  using Catch::Matchers::Contains;
  CHECK_THROWS_WITH(
      run_with("b", false),
      Contains("--resume: the training text is another than") && Contains("--allow-other-data"));
  CHECK(run_with("b", true).inputs.at("training text") == "b");
  CHECK_THROWS_AS(run_with("a", false), InputError);
}

TEST_CASE("a resume under other conditions says what will not be the same") {
  const TempDir folder, other;
  TinyRun first(folder.path());
  first.identity = {{"threads", "2"}, {"kernels", "avx512"}};
  first.options.steps = 8;
  first.train();
  TinyRun second(folder.path());
  second.identity = {{"threads", "4"}, {"kernels", "avx512"}};
  second.options.steps = 9;
  second.resume = true;
  second.notes = std::fopen((other / "notes").c_str(), "w");
  second.train();
  std::fclose(second.notes);
  using Catch::Matchers::Contains;
  CHECK_THAT(read_file(other / "notes"),
             Contains("goes on after step 8") && Contains("warning: threads is 4 but was 2") &&
                 Contains("warning: steps is 9 but was 8") && !Contains("kernels"));
}

TEST_CASE("an evaluation that a signal cut short is made up for after the resume") {
  const TempDir folder;
  {
    const StopSignal handlers;
    TinyRun run(folder.path());
    settings(run);
    run.valid->open = [passes = 0]() mutable -> BatchPass {
      if (++passes > 1) {  // the first one is tried before the first step
        std::raise(SIGTERM);
      }
      return tiny_eval_set().open();
    };
    const TrainResult result = run.train();
    CHECK(result.state.step == 10);
    CHECK(result.state.evaluated_step == 0);
  }
  Snapshot resumed;
  const TrainResult result = finish(folder.path(), resumed);
  CHECK(result.state.evaluated_step == 40);
  CHECK(read_file(folder / "metrics.jsonl").find(R"({"kind":"eval","step":10,)") != std::string::npos);
}

TEST_CASE("a finished run that is resumed changes nothing and tells its result") {
  const TempDir folder;
  TinyRun run(folder.path());
  settings(run);
  const TrainResult before = run.train();
  Snapshot resumed;
  const TrainResult after = finish(folder.path(), resumed);
  CHECK(after.resumed_at == 40);
  CHECK(after.valid->loss_sum == before.valid->loss_sum);
  CHECK(same(run.snapshot().weights, resumed.weights));
}

TEST_CASE("a folder that has checkpoints is only touched by a resume") {
  const TempDir folder;
  TinyRun(folder.path()).train();
  const std::string before = read_file(folder / "metrics.jsonl");
  CHECK_THROWS_WITH(TinyRun(folder.path()).train(), Catch::Matchers::Contains("go on with --resume"));
  CHECK(read_file(folder / "metrics.jsonl") == before);
}
