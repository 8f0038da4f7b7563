#include "train/saved/checkpoint.h"

#include <csignal>
#include <filesystem>
#include <thread>

#include <ATen/ops/arange.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/files.h"
#include "io/manifest.h"
#include "support/catch.h"
#include "support/files.h"
#include "train/fakes.h"

using namespace lmzoo;
using namespace lmzoo::test;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

Snapshot filled(double value) {
  return {.weights = {{"model.w", at::arange(12, at::kFloat).reshape({3, 4}) + value},
                      {"model.n", at::tensor({int64_t{7}})}},
          .optimizer = {{"model.w.exp_avg", at::zeros({3, 4}) - value}, {"model.w.step", at::tensor(value)}}};
}

TrainState state_at(int64_t step) {
  TrainState state;
  state.step = step;
  state.tokens = int64_t{1} << 40;
  state.seconds = 0.1;
  state.batches = {{"next", UINT64_MAX}};
  state.identity = {{"threads", "2"}};
  return state;
}

void save(const std::string& run, int64_t step, int64_t keep_last = 9, std::optional<BestMark> best = {}) {
  TrainState state = state_at(step);
  state.best = best;
  save_checkpoint(run, filled(static_cast<double>(step)), state, {.last = keep_last});
}

std::string newest(const std::string& run, std::vector<std::string>* warnings = nullptr) {
  return newest_valid_checkpoint(run,
                                 [&](const std::string& line) {
                                   if (warnings != nullptr) {
                                     warnings->push_back(line);
                                   }
                                 })
      .value_or("");
}

void flip(const std::string& path, size_t bit) {
  std::string bytes = read_file(path);
  bytes.at(bit / 8) = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
  write_file(path, bytes);
}

}  // namespace

TEST_CASE("what is loaded is what was saved, and its folder is as documented") {
  const TempDir run;
  TrainState state = state_at(100);
  state.best = BestMark{80, "loss", 2.0 / 3};
  state.evaluations_since_best = 1;
  save_checkpoint(run.path(), filled(3), state, {.last = 1});
  const std::string folder = run / "checkpoints/step-0000100";
  CHECK(checkpoint_folder(run.path(), 100) == folder);
  CHECK(checkpoint_folder("r", 123'456'789) == "r/checkpoints/step-123456789");
  for (const char* name : {"model.safetensors", "optimizer.safetensors", "state.json", "manifest.json"}) {
    CHECK(fs::exists(folder + "/" + name));
  }
  const Snapshot loaded = filled(0);
  const TrainState again = load_checkpoint(folder, loaded);
  CHECK(same(loaded.weights, filled(3).weights));
  CHECK(same(loaded.optimizer, filled(3).optimizer));
  CHECK(to_json(again) == to_json(state));
  CHECK(again.best == state.best);
}

TEST_CASE("every flipped bit of a checkpoint is found, and the one before is used") {
  const TempDir run;
  save(run.path(), 1);
  save(run.path(), 2);
  const std::string folder = checkpoint_folder(run.path(), 2);
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string path = entry.path();
    const std::string good = read_file(path);
    for (size_t bit = 0; bit < 8 * good.size(); bit += 101) {
      CAPTURE(path, bit);
      flip(path, bit);
      std::vector<std::string> warnings;
      REQUIRE(newest(run.path(), &warnings) == checkpoint_folder(run.path(), 1));
      REQUIRE(warnings.size() == 1);
      CHECK_THAT(warnings[0], Contains("step-0000002 is damaged and passed over"));
      write_file(path, good);
    }
    CHECK(newest(run.path()) == folder);
  }
}

TEST_CASE("a checkpoint that lacks a file or its end is passed over") {
  for (const char* name : {"model.safetensors", "optimizer.safetensors", "state.json", "manifest.json"}) {
    for (const bool cut : {false, true}) {
      const TempDir run;
      save(run.path(), 1);
      save(run.path(), 2);
      const std::string path = checkpoint_folder(run.path(), 2) + "/" + name;
      cut ? fs::resize_file(path, fs::file_size(path) / 2) : static_cast<void>(fs::remove(path));
      CHECK(newest(run.path()) == checkpoint_folder(run.path(), 1));
    }
  }
}

TEST_CASE("a run whose newest checkpoint is damaged goes on from the one before, to the same end") {
  const TempDir straight_folder, folder;
  TinyRun straight(straight_folder.path());
  straight.train();
  TinyRun first(folder.path());
  first.options.save_every = 10;
  first.options.keep_last = 2;
  first.batches.die_at = 35;
  CHECK_THROWS(first.train());
  flip(checkpoint_folder(folder.path(), 30) + "/model.safetensors", 4000);
  TinyRun second(folder.path(), 0.2, 9);
  second.resume = true;
  const TrainResult result = second.train();
  CHECK(result.resumed_at == 20);
  CHECK(same(straight.snapshot().weights, second.snapshot().weights));
  CHECK(list_checkpoints(folder.path()).back() == checkpoint_folder(folder.path(), 40));
}

TEST_CASE("a run of which every checkpoint is damaged is not begun again silently") {
  const TempDir folder;
  TinyRun(folder.path()).train();
  flip(checkpoint_folder(folder.path(), 40) + "/state.json", 8);
  TinyRun second(folder.path());
  second.resume = true;
  CHECK_THROWS_WITH(second.train(), Contains("every checkpoint is damaged"));
}

TEST_CASE("old checkpoints go, the best one stays, and a future that was given up goes") {
  const TempDir run;
  save(run.path(), 10, 2);
  save(run.path(), 20, 2, BestMark{10, "loss", 1});
  save(run.path(), 30, 2, BestMark{10, "loss", 1});
  save(run.path(), 40, 2, BestMark{10, "loss", 1});
  const auto folders = [&] { return list_checkpoints(run.path()); };
  const auto at = [&](int64_t step) { return checkpoint_folder(run.path(), step); };
  CHECK(folders() == std::vector<std::string>{at(10), at(30), at(40)});
  CHECK(resolve_checkpoint(run.path()) == at(10));
  save(run.path(), 35, 2, BestMark{35, "loss", 0.5});
  CHECK(folders() == std::vector<std::string>{at(30), at(35)});
  save(run.path(), 50, 1);
  CHECK(folders() == std::vector<std::string>{at(50)});
  CHECK_FALSE(best_mark(run.path()));
}

TEST_CASE("the best checkpoint is what the newest valid one says, and nothing else knows it") {
  const TempDir run;
  save(run.path(), 10, 9, BestMark{10, "loss", 2});
  save(run.path(), 20, 9, BestMark{20, "loss", 1});
  CHECK_FALSE(fs::exists(run / "checkpoints/best.json"));
  CHECK(resolve_checkpoint(run.path()) == checkpoint_folder(run.path(), 20));
  const std::string weights = checkpoint_folder(run.path(), 20) + "/model.safetensors";
  flip(weights, 1000);
  CHECK(best_mark(run.path()) == BestMark{10, "loss", 2});
  CHECK(resolve_checkpoint(run.path()) == checkpoint_folder(run.path(), 10));
  flip(weights, 1000);
  save(run.path(), 30, 9, BestMark{20, "loss", 1});
  flip(weights, 1000);
  CHECK_THROWS_WITH(resolve_checkpoint(run.path()),
                    Contains("the best checkpoint") && Contains("step-0000020, is damaged") &&
                        Contains("name another one, as in") && Contains("step-0000030"));
  CHECK(resolve_checkpoint(run.path(), true) == checkpoint_folder(run.path(), 30));
}

TEST_CASE("a checkpoint is of the step that its name says, and its manifest lists all that it needs") {
  const TempDir run;
  save(run.path(), 1);
  save(run.path(), 2);
  const std::string second = checkpoint_folder(run.path(), 2);
  SECTION("renamed") {
    fs::rename(second, checkpoint_folder(run.path(), 3));
    std::vector<std::string> warnings;
    CHECK(newest(run.path(), &warnings) == checkpoint_folder(run.path(), 1));
    CHECK_THAT(warnings.at(0), Contains("holds the checkpoint of step 2"));
  }
  SECTION("with a manifest that forgets the weights") {
    fs::remove(second + "/model.safetensors");
    write_manifest(second);
    std::vector<std::string> warnings;
    CHECK(newest(run.path(), &warnings) == checkpoint_folder(run.path(), 1));
    CHECK_THAT(warnings.at(0), Contains("does not list model.safetensors"));
  }
}

TEST_CASE("an old checkpoint that cannot be removed is told, and the new one is there") {
  const TempDir run;
  save(run.path(), 1);
  const std::string old = checkpoint_folder(run.path(), 1);
  std::string warning = "not permitted";
  // A folder that something is mounted on cannot be renamed; the mount is this thread's alone.
  std::thread([&] {
    if (::unshare(CLONE_NEWNS) == 0 && ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
        ::mount(old.c_str(), old.c_str(), nullptr, MS_BIND, nullptr) == 0) {
      warning = save_checkpoint(run.path(), filled(2), state_at(2), {.last = 1});
    }
  }).join();
  if (warning == "not permitted") {
    LMZOO_SKIP("mount namespaces may not be made here");
  }
  CHECK_THAT(warning, Contains("an old checkpoint stays: " + old));
  CHECK(newest(run.path()) == checkpoint_folder(run.path(), 2));
  CHECK(list_checkpoints(run.path()).size() == 2);
  CHECK(save_checkpoint(run.path(), filled(3), state_at(3), {.last = 1}).empty());
  CHECK(list_checkpoints(run.path()).size() == 1);
}

TEST_CASE("what lies beside checkpoints is neither taken for one nor removed") {
  const TempDir run;
  save(run.path(), 10);
  for (const char* name : {"step-", "step-12x", "step--3", "notes"}) {
    fs::create_directories(run / (std::string("checkpoints/") + name));
  }
  save(run.path(), 20, 1);
  CHECK(list_checkpoints(run.path()) == std::vector<std::string>{checkpoint_folder(run.path(), 20)});
  CHECK(fs::exists(run / "checkpoints/step-12x"));
}

TEST_CASE("a checkpoint of another model is refused by name, before anything is changed") {
  const TempDir run;
  save(run.path(), 1);
  const std::string folder = checkpoint_folder(run.path(), 1);
  Snapshot other = filled(0);
  other.weights[1].name = "model.m";
  CHECK_THROWS_WITH(load_checkpoint(folder, other), Contains("lacks model.m"));
  other = filled(0);
  other.weights[1].tensor = at::zeros({2}, at::kLong);
  CHECK_THROWS_WITH(load_checkpoint(folder, other),
                    Contains("another shape or type of model.n (I64 [1], here I64 [2])"));
  CHECK(other.weights[0].tensor.equal(filled(0).weights[0].tensor));
  other = filled(0);
  other.weights.pop_back();
  CHECK_THROWS_WITH(load_checkpoint(folder, other), Contains("has 2 tensors but this run has 1"));
}

TEST_CASE("state.json of another version or kind is refused with its name") {
  Json json = to_json(state_at(1));
  json["version"] = 99;
  CHECK_THROWS_WITH(train_state_from(json, "x/state.json"), Contains("x/state.json: version 99"));
  json = to_json(state_at(1));
  json["tokens"] = "many";
  CHECK_THROWS_WITH(train_state_from(json, "x/state.json"), Contains("x/state.json: not as lmzoo writes it"));
  json.erase("tokens");
  CHECK_THROWS_AS(train_state_from(json, "x/state.json"), InputError);
}

TEST_CASE("a path that is no run, or a run without checkpoint, is named") {
  const TempDir run;
  CHECK_THROWS_WITH(resolve_checkpoint(run / "nothing"), Contains("nothing: no such folder"));
  CHECK_THROWS_WITH(resolve_checkpoint(run.path()), Contains("neither a checkpoint nor a run folder"));
  save(run.path(), 1);
  CHECK(resolve_checkpoint(checkpoint_folder(run.path(), 1)) == checkpoint_folder(run.path(), 1));
  flip(checkpoint_folder(run.path(), 1) + "/state.json", 8);
  CHECK_THROWS_WITH(resolve_checkpoint(run.path()), Contains("damaged"));
}

TEST_CASE("a run folder that cannot be written is one line with its path") {
  const TempDir run;
  write_file(run / "checkpoints", "a file where the folder should be");
  CHECK_THROWS_WITH(save(run.path(), 1), Contains(run / "checkpoints"));
  TinyRun training(run.path());
  CHECK_THROWS_AS(training.train(), InputError);
  if (geteuid() == 0) {
    LMZOO_SKIP("root may write into read-only folders");
  }
  const TempDir closed;
  chmod(closed.path().c_str(), 0555);
  CHECK_THROWS_WITH(save(closed.path(), 1), Contains(closed.path().string()));
  chmod(closed.path().c_str(), 0755);
}

TEST_CASE("a write that fails in the middle is an error and leaves the checkpoint before, and nothing else") {
  const TempDir run;
  save(run.path(), 1, 1);
  // Files may not grow any more, as on a disk that is full.
  rlimit unlimited{};
  getrlimit(RLIMIT_FSIZE, &unlimited);
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  for (const rlim_t bytes : {0, 1, 100, 200}) {
    const rlimit limited{bytes, unlimited.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limited);
    std::string message;
    try {
      save(run.path(), 2, 1);
    } catch (const InputError& error) {
      message = error.what();
    }
    setrlimit(RLIMIT_FSIZE, &unlimited);
    CHECK_THAT(message, Contains(run / "checkpoints"));
    CHECK(newest(run.path()) == checkpoint_folder(run.path(), 1));
    CHECK(std::distance(fs::directory_iterator(run / "checkpoints"), {}) == 1);
  }
  std::signal(SIGXFSZ, old_handler);
  save(run.path(), 2, 1);
  CHECK(newest(run.path()) == checkpoint_folder(run.path(), 2));
}

TEST_CASE("checkpoints of named steps stay, whatever the number of kept ones") {
  const TempDir run;
  for (const int64_t step : {2, 4, 6, 8}) {
    save_checkpoint(
        run.path(), filled(static_cast<double>(step)), state_at(step), {.last = 1, .steps = {4, 5}});
  }
  std::vector<std::string> names;
  for (const std::string& folder : list_checkpoints(run.path())) {
    names.push_back(std::filesystem::path(folder).filename().string());
  }
  CHECK(names == std::vector<std::string>{"step-0000004", "step-0000008"});
}
