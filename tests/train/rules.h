// Optimizers as a YAML makes them.
#pragma once

#include <memory>
#include <string>

#include "core/registry.h"

namespace lmzoo::test {

// `options`: those of the rule alone, as in "{weight_decay: 0.1}".
std::unique_ptr<Optimizer> make_rule(const std::string& name,
                                     OptimizerContext context,
                                     const std::string& options = "{}");

}  // namespace lmzoo::test
