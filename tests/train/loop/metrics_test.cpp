#include "train/loop/metrics.h"

#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "io/json.h"
#include "support/catch.h"
#include "support/files.h"

using namespace lmzoo;
using namespace lmzoo::test;

namespace {

std::vector<int64_t> steps(const TempDir& folder) {
  std::vector<int64_t> all;
  const std::string text = read_file(folder / "metrics.jsonl");
  for (size_t begin = 0, end = 0; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
    all.push_back(
        parse_json(std::string_view(text).substr(begin, end - begin), "row").at("step").get<int64_t>());
  }
  return all;
}

void log(const TempDir& folder, int64_t resumed_at, std::initializer_list<int64_t> train_steps) {
  MetricsLog log(folder.path(), {resumed_at, resumed_at});
  for (const int64_t step : train_steps) {
    log.train({.step = step, .loss = 10.0 / static_cast<double>(step), .lr = 0.5});
  }
  log.flush();
}

// A Python that can import tensorboard: LMZOO_TENSORBOARD_PYTHON, or python3.
std::string python_with_tensorboard() {
  const char* given = std::getenv("LMZOO_TENSORBOARD_PYTHON");
  for (const std::string python :
       {given != nullptr ? given : "python3", LMZOO_SOURCE_DIR "/.venv-tests/bin/python"}) {
    if (std::system((python + " -c 'import tensorboard' 2>/dev/null").c_str()) == 0) {
      return python;
    }
  }
  return "";
}

}  // namespace

TEST_CASE("a run that resumes drops the rows after its step and a half-written last one") {
  const TempDir folder;
  log(folder, 0, {10, 20, 30});
  write_file(folder / "metrics.jsonl", read_file(folder / "metrics.jsonl") + R"({"kind":"train","step":2)");
  log(folder, 20, {30, 40});
  CHECK(steps(folder) == std::vector<int64_t>{10, 20, 30, 40});
  log(folder, 0, {5});
  CHECK(steps(folder) == std::vector<int64_t>{5});
}

TEST_CASE("numbers that are not finite are null, so that every row is JSON") {
  const TempDir folder;
  MetricsLog log(folder.path(), {});
  log.train({.step = 1, .loss = NAN});
  log.eval(1, "valid", {{"loss", 2.5}, {"perplexity", INFINITY}});
  log.flush();
  CHECK_THAT(read_file(folder / "metrics.jsonl"),
             Catch::Matchers::Contains(R"("loss":null)") &&
                 Catch::Matchers::Contains(
                     R"({"kind":"eval","step":1,"split":"valid","loss":2.5,"perplexity":null})"));
}

TEST_CASE("the most memory that was in use counts what was touched, and stays when it is given back") {
  constexpr int64_t kMore = int64_t{96} << 20;
  const int64_t before = peak_memory_bytes(at::kCPU);
  {  // more than all that may lie unused below the peak
    const std::vector<char> touched(static_cast<size_t>(before + kMore), 1);
    REQUIRE(touched.back() == 1);
  }
  const int64_t after = peak_memory_bytes(at::kCPU);
  CHECK(after >= before + kMore);
  CHECK(after < 3 * before + 2 * kMore);  // bytes, and not another unit
}

TEST_CASE("TensorBoard reads the event files, those of a resumed run as one curve") {
  const std::string python = python_with_tensorboard();
  if (python.empty()) {
    LMZOO_SKIP("no Python with the package tensorboard; set LMZOO_TENSORBOARD_PYTHON");
  }
  const TempDir folder;
  {
    MetricsLog first(folder.path(), {});
    for (const int64_t step : {10, 20, 30, 40}) {
      first.train({.step = step, .loss = 100.0 + static_cast<double>(step)});
    }
    first.eval(40, "valid", {{"loss", 3.25}});
  }
  std::system("sleep 1.1");  // event files are ordered by the second in their name
  {
    MetricsLog second(folder.path(), {20, 20});
    second.train({.step = 30, .loss = 7});
    second.eval(30, "valid", {{"loss", 1.5}});
  }
  const std::string command = python + " " LMZOO_SOURCE_DIR "/tests/train/loop/read_tensorboard.py " +
                              (folder / "tensorboard") + " > " + (folder / "read.json");
  REQUIRE(std::system(command.c_str()) == 0);
  const Json read = read_json(folder / "read.json");
  CHECK(read.at("train/loss") == Json::parse("[[10, 110.0], [20, 120.0], [30, 7.0]]"));
  CHECK(read.at("valid/loss") == Json::parse("[[30, 1.5]]"));
}
