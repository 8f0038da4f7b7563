// Batches of full windows of random text: what a step costs, and whether the parts of a run fit together, is
// known before there is any data.
#pragma once

#include <cstdint>

#include "base/sample.h"
#include "base/vocabulary.h"
#include "core/batch.h"
#include "core/model.h"
#include "core/objective.h"

namespace lmzoo {

struct SampleShape {
  RecordShape record{};
  int64_t classes = 0;
};

// `count` windows of Objective::lengths().raw random content ids each, through example and collate. The same
// for the same seed. `shape`: what else the records of the data have.
Batch full_windows(const Objective& objective,
                   Architecture architecture,
                   const Vocabulary& vocabulary,
                   const SampleShape& shape,
                   int64_t count,
                   uint64_t seed = 0);

}  // namespace lmzoo
