// Runs of the program in a folder of their own.
#pragma once

#include <cstdio>
#include <string>
#include <vector>

#include "cli/program.h"
#include "support/catch.h"
#include "support/files.h"

namespace lmzoo::test {

// configs/debug/bert.yaml for a few steps, in folders of its own.
struct Workspace {
  TempDir dir;
  std::string out = dir / "run";

  std::vector<std::string> train(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments{"train",
                                       "configs/debug/bert.yaml",
                                       "--out",
                                       out,
                                       "--set",
                                       "data.cache_dir=" + (dir / "cache"),
                                       "--set",
                                       "train.steps=12",
                                       "--set",
                                       "train.threads=1",
                                       "--set",
                                       "train.device=cpu"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
};

inline std::string checkpoint(const std::string& run, int step) {
  char name[32];
  std::snprintf(name, sizeof name, "/checkpoints/step-%07d", step);
  return run + name;
}

inline void check_one_line(const Outcome& outcome, const std::string& mention) {
  INFO(outcome.err);
  CHECK(outcome.code == 2);
  const size_t last = outcome.err.rfind('\n', outcome.err.size() - 2);
  CHECK_THAT(outcome.err.substr(last == std::string::npos ? 0 : last + 1), Catch::Contains(mention));
}

}  // namespace lmzoo::test
