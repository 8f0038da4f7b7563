// `arms`: variants of a configuration that `lmzoo sweep` compares, each with what it changes.
//
//   arms:
//     - {name: rate-15, objective: {rate: 0.15}, optimizer: {lr: 2.0e-3}}
//     - {name: rate-40, objective: {rate: 0.40}, optimizer: {lr: 1.0e-3}}
//
// Any section may be laid over (train/yaml/lay_over.h). `arm: NAME`, usually as `--set arm=NAME`, is that variant; without it the
// document is itself. The configuration of a run knows no arms.
#pragma once

#include <string>
#include <vector>

#include "io/json.h"
#include "io/yaml.h"

namespace lmzoo {

// Takes `arms` and `arm` out of a document and lays the chosen one over it. Returns the names of all. InputError for what is
// no list of named mappings, or an arm that there is not.
std::vector<std::string> choose_arm(YamlNode& root);

Json arms_schema();

}  // namespace lmzoo
