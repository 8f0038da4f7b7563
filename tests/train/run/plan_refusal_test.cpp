// What training would refuse is refused by the plan, all of it at once.
#include "support/catch.h"
#include "support/errors.h"
#include "support/files.h"
#include "train/debug_configs.h"

using namespace lmzoo;
using namespace lmzoo::test;
using Catch::Matchers::Contains;

namespace {

Plan plan_with_files(const std::string& name, const std::vector<std::string>& changes) {
  return make_plan(debug_config(name, changes), registry());
}

std::string refusal_with(const TempDir& dir, const std::string& train, const std::string& valid) {
  write_file(dir / "train.tsv", train);
  write_file(dir / "valid.tsv", valid);
  return error_of([&] {
    plan_with_files("classify",
                    {"data.train.files=[" + (dir / "train.tsv") + "]",
                     "data.valid.files=[" + (dir / "valid.tsv") + "]",
                     "tokenizer={type: char, sentinels: 0}",
                     "data.cache_dir=" + (dir / "cache")});
  });
}

}  // namespace

TEST_CASE("rows that training would refuse are refused by the plan, with file and line") {
  const std::string good = "a fine day\tgood\na sad day\tbad\n";
  struct Case {
    std::string train, valid, message;
  };
  const auto [train, valid, message] = GENERATE_COPY(values<Case>({
      {good, good, "no error"},
      {good, "a day\tgood\nanother\tugly\n", "valid.tsv:2: label 'ugly' is not among the 2 classes"},
      {good, "a day\tgood\nanother\n", "valid.tsv:2: "},
      {good, "a day\t\n", "valid.tsv:1: the label, `2`, is empty"},
      {"a day\tgood\nanother\t\n", good, "train.tsv:2: the label, `2`, is empty"},
  }));
  const TempDir dir;
  CHECK_THAT(refusal_with(dir, train, valid), Contains(message));
}

TEST_CASE("columns of the training text are looked at without classes, too") {
  const TempDir dir;
  write_file(dir / "t.tsv", "a question\tan answer\nno answer\n");
  CHECK_THAT(error_of([&] {
               plan_with_files("text_to_text",
                               {"data.train={files: [" + (dir / "t.tsv") + "], text: ['1'], target: '2'}",
                                "data.cache_dir=" + (dir / "cache")});
             }),
             Contains("t.tsv:2: "));
}

TEST_CASE("all that is wrong with the files is told at once") {
  const std::string message = error_of([] {
    plan_with_files("gpt",
                    {"data.train.files=[no/a.txt]", "data.valid.files=[no/b.txt]", "warm_start.from=no/run"});
  });
  CHECK_THAT(message, Contains("no/a.txt does not exist\n"));
  CHECK_THAT(message, Contains("no/b.txt does not exist\n"));
  CHECK_THAT(message, Contains("warm_start.from"));
}

TEST_CASE("a run that cannot fit into memory is refused by its key, a plan of it is made") {
  const LoadedConfig loaded = debug_config("bert", {"train.batch_size=1000000000"});
  const Plan plan = make_plan(loaded, registry(), {.look_at_files = false});
  const MemoryLimits enough{.cpu = static_cast<uint64_t>(plan.least_bytes)};
  const MemoryLimits less{.cpu = static_cast<uint64_t>(plan.least_bytes) - 1};
  const MemoryLimits tiny{.cpu = static_cast<uint64_t>(plan.state_bytes) - 1};
  const auto refusal = [&](const MemoryLimits& limits) {
    return error_of([&] { check_memory(loaded, plan, limits); });
  };
  CHECK(refusal(enough) == "no error");
  CHECK_THAT(refusal(less), Contains(": train.batch_size: needs at least "));
  CHECK_THAT(refusal(tiny), Contains(": model: needs at least "));
  CHECK(refusal({.cpu = 4 * static_cast<uint64_t>(plan.parameters), .trains_on_cpu = false}) == "no error");
  CHECK_THAT(refusal({.cpu = 4 * static_cast<uint64_t>(plan.parameters) - 1, .trains_on_cpu = false}),
             Contains("for its weights"));
}

TEST_CASE("weights that do not fit are refused before any of them is made") {
  const LoadedConfig loaded = debug_config("gpt", {"model.width=1000000"});
  const Vocabulary vocabulary = foresee_vocabulary(loaded, true).vocabulary;
  CHECK_THAT(error_of([&] { check_weights_fit(loaded, registry(), vocabulary, 1'000'000'000); }),
             Contains(": model: has weights of "));
}
