// Good configurations made bad in the ways in which people and accidents do it.
#pragma once

#include <random>
#include <string>
#include <vector>

namespace lmzoo::test {

struct BadConfig {
  std::string kind;     // "unknown key", ...
  std::string text;     // of the YAML
  std::string key;      // the dotted key that the error must name; empty: any
  std::string mention;  // what the error must say besides; empty: nothing
};

// One of `good`, a YAML without errors, with one thing wrong.
BadConfig mutate_config(const std::string& good, std::mt19937_64& random);

std::vector<std::string> good_configs();  // paths of every YAML below configs/

}  // namespace lmzoo::test
