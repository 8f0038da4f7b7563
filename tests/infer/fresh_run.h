// Runs with fresh weights, ready for questions.
#pragma once

#include <string>
#include <vector>

#include "tokenizer/tokenizer.h"
#include "train/run/assemble.h"

namespace lmzoo::test {

// The configuration configs/debug/NAME.yaml, with keys of it overridden ("model.layers=1").
inline LoadedRun fresh_run(const std::string& name, const std::vector<std::string>& changes = {}) {
  std::vector<Override> overrides;
  for (const std::string& change : changes) {
    overrides.push_back(parse_override(change));
  }
  const Registry registry = make_registry();
  LoadedRun run;
  run.config = read_run_config("configs/debug/" + name + ".yaml", overrides, registry);
  run.tokenizer = make_tokenizer(run.config.config.tokenizer, run.config.config.data.train, "");
  run.parts = build_parts(run.config, registry, run.tokenizer->vocabulary(), {});
  run.parts.model->eval();
  return run;
}

}  // namespace lmzoo::test
