// Where a run stands: state.json of a checkpoint (checkpoint.h). Knows no tensor.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/json.h"

namespace lmzoo {

struct BestMark {
  int64_t step = 0;
  std::string metric;  // "loss" or "accuracy"
  double value = 0;

  bool operator==(const BestMark&) const = default;
};

// Where a run stands.
struct TrainState {
  int64_t step = 0;    // updates done, skipped ones included
  int64_t tokens = 0;  // positions computed so far
  int64_t labels = 0;
  int64_t skipped = 0;
  int64_t skipped_in_a_row = 0;
  double seconds = 0;          // of training, over all parts of the run
  int64_t evaluated_step = 0;  // of the last finished evaluation
  int64_t evaluations_since_best = 0;
  std::optional<BestMark> best;
  Json batches;   // BatchSource::state
  Json interval;  // sums since the last row of metrics.jsonl, as the loop keeps them
  std::map<std::string, std::string> identity;  // what the bits depend on: threads, CPU kernels, steps ...
  std::map<std::string, std::string> inputs;    // what was learned from, each a hash of its content
  int64_t phase = 0;                   // of a run with phases, from 0: the one that the step belongs to
  std::vector<std::string> classes{};  // and the names of its labels, where those differ by phase
};

// InputError that names `file` for what to_json did not write: a missing key, another type, a count below 0.
Json to_json(const TrainState& state);
TrainState train_state_from(const Json& json, const std::string& file);
Json to_json(const BestMark& best);
BestMark best_mark_from(const Json& json, const std::string& file);

// Names of checkpoints' folders: "step-0000100". Of any other name no step.
std::string step_name(int64_t step);
std::optional<int64_t> step_of_name(std::string_view name);

}  // namespace lmzoo
