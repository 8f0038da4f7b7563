// What a row of metrics.jsonl is the mean of. It is part of a run's state, so that a run that goes on writes the rows of
// the uninterrupted one.
#pragma once

#include <cstdint>

#include "io/json.h"
#include "train/loop/metrics.h"
#include "train/saved/checkpoint.h"

namespace lmzoo {

// Sums since the last row.
struct Interval {
  double loss_sum = 0;
  double norm_sum = 0;
  int64_t steps = 0;   // not skipped
  double total = 0;    // of those steps: what their losses are divided by
  int64_t tokens = 0;  // of all
  int64_t targets = 0;
  double flops = 0;
  double seconds = 0;

  // Its row; the learning rate and the memory are the caller's.
  TrainRow row(const TrainState& state) const;
};

Json to_json(const Interval& interval);
Interval interval_from(const Json& json);  // empty of what an older lmzoo saved, which had none

}  // namespace lmzoo
