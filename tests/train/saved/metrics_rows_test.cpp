#include "train/saved/metrics_rows.h"

#include "support/catch.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/mutants.h"
#include "train/loop/metrics.h"

using namespace lmzoo;
using test::error_of;
using test::TempDir;
using test::write_file;

namespace {

std::vector<int64_t> steps_of(const std::string& path) {
  std::vector<int64_t> steps;
  for_each_metrics_row(path, [&](const MetricsRow& row) { steps.push_back(row.step); });
  return steps;
}

}  // namespace

TEST_CASE("rows of metrics are read up to one that was being written when the run was killed") {
  const TempDir dir;
  const std::string path = dir / "metrics.jsonl";
  write_file(path,
             "{\"kind\":\"train\",\"step\":1}\n{\"kind\":\"eval\",\"step\":2,\"loss\":null}\n{\"kind\":\"tr");
  CHECK(steps_of(path) == std::vector<int64_t>{1, 2});
  write_file(path, "");
  CHECK(steps_of(path).empty());
}

TEST_CASE("a line that is no row of metrics is refused with its place, whatever the types of its values") {
  const TempDir dir;
  const std::string path = dir / "metrics.jsonl";
  for (const std::string line : {R"([1])",
                                 R"(1)",
                                 R"({"kind":"train"})",
                                 R"({"step":1})",
                                 R"({"kind":1,"step":1})",
                                 R"({"kind":"train","step":"1"})",
                                 R"({"kind":"train","step":-1})",
                                 R"({"kind":"train","step":1.5})",
                                 R"({"kind":"train","step":18446744073709551615})"}) {
    INFO(line);
    write_file(path, "{\"kind\":\"train\",\"step\":1}\n" + line + "\n");
    const std::string error = error_of([&] { steps_of(path); });
    CHECK(error.starts_with(path + ":2: is no row of metrics"));
    CHECK(error.find('\n') == std::string::npos);
    // A run goes on without it.
    MetricsLog(dir.path().string(), {.step = 10, .evaluated_step = 10}).flush();
    CHECK(steps_of(path) == std::vector<int64_t>{1});
  }
}

TEST_CASE("damaged metrics are refused, and nothing else") {
  const TempDir dir;
  const std::string path = dir / "metrics.jsonl";
  const auto count = test::read_mutants(
      "{\"kind\":\"train\",\"step\":1,\"loss\":2.5}\n{\"kind\":\"eval\",\"step\":2,\"split\":\"valid\","
      "\"loss\":null}\n",
      2000,
      [&](const std::string& bytes) {
        write_file(path, bytes);
        steps_of(path);
      });
  CHECK(count.refused > 200);
  CHECK(count.accepted > 200);
}
