// Every bad configuration is a few lines that say where, which key and why; no good one is refused; nothing is written.
#include <filesystem>
#include <regex>
#include <sstream>

#include "cli/config_mutants.h"
#include "cli/program.h"
#include "support/catch.h"
#include "support/files.h"
#include "train/run/plan.h"

using namespace lmzoo;
using test::BadConfig;

namespace {

// A configuration that stands in no file, of parts that the others lack.
const std::string kBuiltIn =
    "name: built-in\n"
    "seed: 7\n"
    "tokenizer: {type: char, sentinels: 8}\n"
    "data:\n"
    "  train:\n"
    "    files:\n"
    "      - configs/debug/data/train.txt\n"
    "    max_record_bytes: 100000\n"
    "  valid: {files: [configs/debug/data/valid.txt], invalid_bytes: error}\n"
    "  sequence_length: 48\n"
    "  windows: stream\n"
    "  prefetch: 2\n"
    "model:\n"
    "  type: t5\n"
    "  layers: 1\n"
    "  width: 32\n"
    "  heads: 2\n"
    "  ffn_width: 64\n"
    "objective: {type: span_corruption, density: 0.15, mean_length: 3.0, dialect: closing-sentinel}\n"
    "optimizer: {type: adamw, lr: 1.0e-3, weight_decay: 0.0, beta1: 0.9, beta2: 0.98, eps: 1e-6, clip_norm: "
    "1}\n"
    "schedule: {type: wsd, warmup_steps: 5, decay_fraction: 0.2, min_lr: 0}\n"
    "train: {steps: 20, batch_size: 4, micro_batches: 2, threads: 2, log_every: 5, precision: bf16, device: "
    "cpu}\n"
    "eval: {every: 10, patience: 3}\n"
    "warm_start: {objective: false, freeze: ['model.tokens.*']}\n";

struct Good {
  std::string name;
  std::string text;
  bool has_data;  // the text that it names is part of the repository
};

std::vector<Good> all_good() {
  std::vector<Good> good{{"built-in.yaml", kBuiltIn, true}};
  for (const std::string& path : test::good_configs()) {
    const std::string text = test::read_file(path);
    // Fetched, not part of the repository: tests/configs.sh plans these with it.
    if (text.find("checkpoints/minilm") != std::string::npos &&
        !std::filesystem::exists("checkpoints/minilm")) {
      continue;
    }
    good.push_back({path, text, path.starts_with("configs/debug/")});
  }
  return good;
}

Plan plan_of(const Good& config, const std::string& text, const std::string& cache) {
  static const Registry registry = make_registry();
  const LoadedConfig loaded = parse_run_config(text, config.name, {{"data.cache_dir", cache}}, registry);
  return make_plan(loaded, registry, {.look_at_files = config.has_data});
}

// Empty when a line of a message is as every one must be, else what is wrong with it.
std::string fault_of_line(const std::string& line, const std::string& file) {
  static const std::regex place("^[^:\n]+:[1-9][0-9]*:[1-9][0-9]*: ");
  static const std::regex row(
      "^configs/[^:\n]+/data/[^:\n]+:[1-9][0-9]*: ");  // of the data that the options name
  const bool in_yaml = line.starts_with(file + ":") && std::regex_search(line, place);
  // A section that is missing was first named by the cache that all of these are given.
  if (!in_yaml && !std::regex_search(line, row) && !line.starts_with("--set data.cache_dir: ")) {
    return "no place";
  }
  return line.size() > 1000 ? "too long" : "";
}

bool tells(const std::string& line, const BadConfig& bad) {
  const bool names_key = bad.key.empty() || line.find(": " + bad.key + ": ") != std::string::npos ||
                         line.find(": " + bad.key + ".") != std::string::npos;
  return names_key && line.find(bad.mention) != std::string::npos;
}

// Empty when `message` is as it must be, else what is wrong with it. One mistake may make others: a misspelled
// section is an unknown key, and the section is missing.
std::string fault(const std::string& message, const std::string& file, const BadConfig& bad) {
  constexpr int kMostLines = 3;
  std::istringstream lines(message);
  int count = 0;
  bool told = false;
  for (std::string line; std::getline(lines, line);) {
    if (const std::string wrong = fault_of_line(line, file); !wrong.empty()) {
      return wrong;
    }
    told = told || tells(line, bad);
    ++count;
  }
  if (!told) {
    return "no line names the key " + bad.key + " and says: " + bad.mention;
  }
  return count > kMostLines ? "more lines than mistakes" : "";
}

}  // namespace

TEST_CASE("no good configuration is refused") {
  const test::TempDir dir;
  for (const Good& good : all_good()) {
    INFO(good.name);
    CHECK_NOTHROW(plan_of(good, good.text, dir / "cache"));
  }
  CHECK(test::files_below(dir.path().string()).empty());
}

TEST_CASE("a thousand bad configurations: few lines that say where, one of them which key and why") {
  const test::TempDir dir;
  const std::vector<Good> good = all_good();
  std::mt19937_64 random(20240229);
  std::map<std::string, int> kinds;
  for (int i = 0; i < 1000; ++i) {
    const Good& from = good[static_cast<size_t>(i) % good.size()];
    BadConfig bad = test::mutate_config(from.text, random);
    while (bad.kind == "missing file" && !from.has_data) {
      bad = test::mutate_config(from.text, random);
    }
    ++kinds[bad.kind];
    INFO(bad.kind << " in " << from.name << ":\n" << bad.text);
    try {
      plan_of(from, bad.text, dir / "cache");
      FAIL_CHECK("was accepted");
    } catch (const InputError& error) {
      const std::string wrong = fault(error.what(), from.name, bad);
      if (!wrong.empty()) {
        FAIL_CHECK(wrong << "\n" << error.what());
      }
    }
  }
  CHECK(kinds.size() >= 13);
  CHECK(test::files_below(dir.path().string()).empty());
}

TEST_CASE(
    "the program answers a bad configuration with exit 2 and a line for each mistake, and writes nothing") {
  const test::TempDir dir;
  std::mt19937_64 random(7);
  const std::string path = dir / "bad.yaml";
  const auto root_before = std::distance(std::filesystem::directory_iterator("."), {});
  for (int i = 0; i < 24; ++i) {
    const BadConfig bad = test::mutate_config(kBuiltIn, random);
    test::write_file(path, bad.text);
    const std::string cache = "data.cache_dir=" + (dir / "cache");
    const test::Outcome outcome = i % 2 == 0
                                      ? test::run({"plan", path, "--set", cache})
                                      : test::run({"train", path, "--out", dir / "run", "--set", cache});
    INFO(bad.kind << "\n" << bad.text << "\n" << outcome.err);
    CHECK(outcome.code == 2);
    CHECK(outcome.out.empty());
    CHECK(fault(outcome.err.substr(0, outcome.err.size() - 1), path, bad) == "");
    CHECK(test::files_below(dir.path().string()).size() == 1);
  }
  CHECK(std::distance(std::filesystem::directory_iterator("."), {}) == root_before);
}
