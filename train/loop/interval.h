// What a row of metrics.jsonl is the mean of. It is part of a run's state, so that a run that goes on writes the rows of
// the uninterrupted one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/example.h"
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
  std::vector<int64_t> corpora{};      // windows of each text; empty: there is one
  std::vector<int64_t> slot_labels{};  // of each slot of the objective

  static void add(const std::vector<int64_t>& more, std::vector<int64_t>& sums);
  // Its row; the learning rate and the memory are the caller's.
  TrainRow row(const TrainState& state) const;
};

// Counts by name.
NamedCounts named(const std::vector<std::string>& names, const std::vector<int64_t>& counts);

// Of slots where there are several: else there is nothing to tell apart.
std::vector<std::string> names_of_several(const std::vector<Slot>& slots);

Json to_json(const Interval& interval);
Interval interval_from(const Json& json);  // empty of what an older lmzoo saved, which had none

}  // namespace lmzoo
