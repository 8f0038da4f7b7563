// The zoo, and the runs of configs/debug after changes, as `lmzoo train --set` makes them.
#pragma once

#include <string>
#include <vector>

#include "core/registry.h"
#include "train/run/plan.h"

namespace lmzoo::test {

const Registry& registry();
LoadedConfig debug_config(const std::string& name, const std::vector<std::string>& changes = {});
Plan debug_plan(const std::string& name, const std::vector<std::string>& changes = {});

}  // namespace lmzoo::test
