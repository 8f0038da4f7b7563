// Whatever goes wrong is one line and an exit code.
#include "cli/failure.h"

#include <algorithm>
#include <filesystem>
#include <new>
#include <stdexcept>
#include <system_error>

#include <ATen/ops/empty.h>
#include <c10/util/Exception.h>

#include "base/check.h"
#include "cli/program.h"
#include "core/torch_error.h"
#include "io/json.h"
#include "support/catch.h"
#include "support/files.h"

using namespace lmzoo;
using test::Outcome;

namespace {

template <class Work>
Failure failure_by(const Work& work) {
  try {
    work();
  } catch (...) {
    return failure_of(std::current_exception());
  }
  return {};
}

int64_t lines_of(const std::string& text) { return std::count(text.begin(), text.end(), '\n'); }

}  // namespace

TEST_CASE("what the environment lacks is exit code 2, a defect is 1") {
  throw_when_memory_is_out();
  CHECK(failure_by([] { throw InputError("x"); }).code == 2);
  CHECK(failure_by([] { throw std::bad_alloc(); }).code == 2);
  CHECK(failure_by([] { throw std::length_error("vector::reserve"); }).code == 2);
  CHECK(failure_by([] { throw std::runtime_error("x"); }).code == 1);
  CHECK(failure_by([] { throw 3; }).code == 1);
  CHECK(failure_by([] { at::empty({-1}); }).code == 1);
  CHECK(failure_by([] { TORCH_CHECK(false, "Unable to open /dev/urandom"); }).code == 2);
  const Failure memory = failure_by([] { at::empty({int64_t{1} << 55}); });
  CHECK(memory.code == 2);
  CHECK_THAT(memory.lines.at(0), Catch::StartsWith("lmzoo: out of memory; "));
  const Failure thread = failure_by(
      [] { throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again)); });
  CHECK(thread.code == 2);
  CHECK_THAT(thread.lines.at(0), Catch::Contains("no further thread"));
  const Failure file = failure_by([] { static_cast<void>(std::filesystem::file_size("no/such/file")); });
  CHECK(file.code == 2);
  CHECK(file.lines.at(0) == "no/such/file: No such file or directory");
  const Failure json = failure_by([] { Json(3).get<std::string>(); });
  CHECK(json.code == 2);
}

TEST_CASE("shapes that no machine has are refused in one line that names the key") {
  const auto [change, key] = GENERATE(table<std::string, std::string>({
      {"train.batch_size=1000000000", ": train.batch_size: needs at least "},
      {"model.width=1000000", ": model: needs at least "},
      {"model.ffn_width=10000000000", ": model: needs at least "},
  }));
  const test::TempDir dir;
  const Outcome outcome = test::run({"train",
                                     "configs/debug/bert.yaml",
                                     "--set",
                                     change,
                                     "--set",
                                     "data.cache_dir=" + (dir / "cache"),
                                     "--out",
                                     dir / "run"});
  CHECK(outcome.code == 2);
  CHECK(lines_of(outcome.err) == 1);
  CHECK_THAT(outcome.err, Catch::Contains(key));
}

TEST_CASE("all mistakes of a configuration are told at once, each on a line with its place") {
  const test::TempDir dir;
  const std::string file = dir / "c.yaml";
  test::write_file(file,
                   "data:\n"
                   "  train: {files: [a.txt]}\n"
                   "  sequence_lenght: 8\n"
                   "model: {type: gpt, width: wide, layers: 0}\n"
                   "objective: {type: causal}\n"
                   "eval: {best_by: accurracy}\n"
                   "train: {steps: 10, batch_size: 8, micro_batches: 3}\n");
  const Outcome outcome = test::run({"plan", file});
  CHECK(outcome.code == 2);
  const std::string at = file + ":";
  CHECK_THAT(outcome.err, Catch::StartsWith(at + "3:3: data.sequence_lenght: unknown key; legal: train, "));
  for (const char* line : {"4:27: model.width: expected a whole number, got 'wide'\n",
                           "4:41: model.layers: is 0, but must be in [1, 1000]\n",
                           "5:19: objective.type: no such choice 'causal'; legal: ",
                           "6:17: eval.best_by: 'accurracy' is no metric (did you mean 'accuracy'?)\n",
                           "7:50: train.micro_batches: is 3, but must divide train.batch_size = 8\n"}) {
    CHECK_THAT(outcome.err, Catch::Contains("\n" + at + line));
  }
  CHECK(lines_of(outcome.err) == 6);
}

TEST_CASE("names and data cannot steer a terminal, on either stream, and JSON stays exact") {
  const test::TempDir dir;
  const Outcome refused = test::run({"plan", "no\x1b[2Jsuch\xC2\x9B.yaml"});
  CHECK(refused.code == 2);
  CHECK_THAT(refused.err, Catch::StartsWith("no\\x1b[2Jsuch\\xc2\\x9b.yaml: "));
  const std::string vectors = dir / "v.txt";
  const std::string word = "b\x1b[31m\xE2\x80\xAE";
  test::write_file(vectors, "2 2\na 1 0\n" + word + " 1 0.5\n");
  const Outcome shown = test::run({"neighbors", vectors, "a"});
  CHECK(shown.code == 0);
  CHECK_THAT(shown.out, Catch::Contains("b\\x1b[31m\\xe2\\x80\\xae"));
  CHECK(shown.out.find('\x1b') == std::string::npos);
  const Outcome json = test::run({"neighbors", vectors, "a", "--json"});
  CHECK(json.out.find("\xE2\x80\xAE") == std::string::npos);
  CHECK(parse_json(json.out, "out").dump().find(Json(word).dump()) != std::string::npos);
}

TEST_CASE("a message of any length is cut in its middle") {
  const Outcome outcome = test::run({"list", std::string(70'000, 'x')});
  CHECK(outcome.code == 2);
  CHECK(outcome.err.size() < 3000);
  CHECK_THAT(outcome.err, Catch::StartsWith("lmzoo list: cannot list 'xxx"));
}
