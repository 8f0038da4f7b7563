// Whole runs on the GPU: their bits, their memory, and what they generate.
#include <filesystem>

#include <ATen/Context.h>

#include "cli/program.h"
#include "cuda/gpu.h"
#include "support/files.h"

using namespace lmzoo;
using namespace lmzoo::test;

namespace {

// Dropout, several micro-batches, bfloat16, low-rank additions: what could make two runs differ.
const std::vector<std::string> kNames{"bert", "gpt", "t5", "lora", "answers"};

LoadedConfig deterministic(const std::string& name, std::vector<std::string> changes = {}) {
  changes.insert(changes.end(),
                 {"train.deterministic=true",
                  "schedule={type: constant}",
                  "train.steps=6",
                  "train.save_every=3",
                  "train.keep_last=9",
                  "train.device=" + *tested_device()});
  return debug_config(name, changes);
}

std::string trained_on_cpu(const TempDir& dir, const std::string& name) {
  LoadedConfig loaded = debug_config(name, {"train.device=cpu"});
  trained_in(dir / name, loaded, /*resume=*/false);
  return dir / name;
}

Outcome asked(std::vector<std::string> arguments, const std::string& device) {
  arguments.insert(arguments.end(), {"--json", "--device", device});
  return run(arguments);
}

}  // namespace

TEST_CASE("with train.deterministic two runs on the GPU have the same bits, and so has a resumed one") {
  LMZOO_NEEDS_GPU();
  for (const std::string& name : kNames) {
    INFO(name);
    const TempDir dir;
    const LoadedConfig loaded = deterministic(name);
    const Trained once = trained_in(dir / "once", loaded, /*resume=*/false);
    CHECK(trained_in(dir / "twice", loaded, /*resume=*/false).weights == once.weights);
    // As if it had been interrupted after step 3.
    std::filesystem::remove_all(dir / "twice/checkpoints/step-0000006");
    CHECK(trained_in(dir / "twice", loaded, /*resume=*/true).weights == once.weights);
    CHECK(at::globalContext().deterministicAlgorithms() == (*tested_device() != "cpu"));
  }
}

TEST_CASE("on the GPU the most memory in use does not grow from step to step") {
  LMZOO_NEEDS_GPU();
  if (*tested_device() == "cpu") {
    LMZOO_SKIP("the CPU tells its resident set instead");
  }
  // A stream of text: all batches have the same shape.
  const Trained run = trained(debug_config("gpt", {"train.steps=60", "train.device=" + *tested_device()}));
  REQUIRE(run.rows.size() == 60);
  CHECK(run.rows[4]["memory_bytes"] == run.rows[59]["memory_bytes"]);
}

TEST_CASE("what the most probable tokens are does not depend on the device") {
  LMZOO_NEEDS_GPU();
  const TempDir dir;
  struct Question {
    std::string config;
    std::vector<std::string> command;  // RUN comes second
  };
  const std::vector<Question> questions{
      {"gpt", {"generate", "", "--prompt", "the old owl", "--temperature", "0", "--max-tokens", "24"}},
      {"t5",
       {"infill", "", "--text", "the old <extra_id_0> sleeps", "--temperature", "0", "--max-tokens", "12"}}};
  for (const auto& [config, command] : questions) {
    INFO(config);
    std::vector<std::string> arguments = command;
    arguments[1] = trained_on_cpu(dir, config);
    const Outcome cpu = asked(arguments, "cpu");
    const Outcome gpu = asked(arguments, *tested_device());
    INFO(cpu.err << gpu.err);
    REQUIRE(cpu.code == 0);
    REQUIRE(gpu.code == 0);
    CHECK(gpu.out == cpu.out);
  }
}
