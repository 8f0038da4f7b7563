// The steps at which train.save_at keeps a checkpoint.
#pragma once

#include <cstdint>
#include <vector>

#include "data/batches/mixture.h"
#include "train/config/run_config.h"

namespace lmzoo {

// Ascending, each once. Of words and tokens the first step after which so many have been seen: a pass over the windows sees
// all of the text, and a part of one its share. InputError for an amount that a run of so many steps does not reach.
std::vector<int64_t> milestones(const LoadedConfig& loaded, const MixedWindows& windows, int64_t steps);

}  // namespace lmzoo
