#include "data/batches/slot_targets.h"

#include <algorithm>
#include <numeric>
#include <stdexcept>

#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>

namespace lmzoo {
namespace {

// Targets of one slot in one sequence.
int64_t count_of(const Target& target, const Slot& slot) {
  return slot.level == Level::position ? std::ssize(target.at) / slot.reads : 1;
}

}  // namespace

Tensor to_tensor(const std::vector<int64_t>& values) {
  Tensor tensor = at::empty({std::ssize(values)}, at::kLong);
  std::ranges::copy(values, tensor.mutable_data_ptr<int64_t>());
  return tensor;
}

void SlotTargets::check_fits(const Target& target, const RowsOfSequence& place) const {
  const int64_t count = count_of(target, slot_);
  const bool legal = std::ranges::all_of(
      target.at, [&](int64_t position) { return position >= 0 && position < place.length; });
  if (!legal) {
    throw std::logic_error("collate: slot " + slot_.name +
                           " labels positions that its sequence does not have");
  }
  const bool is_number = slot_.predicts == Predicts::numbers;
  const int64_t wanted = count * slot_.width;
  const bool whole = slot_.level != Level::position || std::ssize(target.at) == count * slot_.reads;
  if (!whole || std::ssize(target.labels) != (is_number ? 0 : wanted) ||
      std::ssize(target.values) != (is_number ? wanted : 0) ||
      (!target.weights.empty() && std::ssize(target.weights) != count)) {
    throw std::logic_error("collate: a target does not have the numbers that slot " + slot_.name + " states");
  }
  const bool inside =
      std::ranges::all_of(target.labels, [&](int64_t label) { return label >= 0 && label < place.length; });
  if (slot_.predicts == Predicts::rows && !inside) {
    throw std::logic_error("collate: slot " + slot_.name + " names rows that its sequence does not have");
  }
}

void SlotTargets::add(const Target& target, const RowsOfSequence& place) {
  check_fits(target, place);
  const int64_t count = count_of(target, slot_);
  switch (slot_.level) {
    case Level::position:
      for (const int64_t position : target.at) {
        rows_.push_back(place.first_row + position);
      }
      break;
    case Level::sequence:
      rows_.push_back(place.sequence);
      break;
    case Level::group:
      rows_.push_back(place.group);
      break;
  }
  labels_.insert(labels_.end(), target.labels.begin(), target.labels.end());
  values_.insert(values_.end(), target.values.begin(), target.values.end());
  if (!target.weights.empty()) {
    weights_.resize(static_cast<size_t>(count_), 1);
    weights_.insert(weights_.end(), target.weights.begin(), target.weights.end());
  }
  count_ += count;
}

SlotBatch SlotTargets::finish(const Sequences& sequences) const {
  SlotBatch batch;
  batch.rows = to_tensor(rows_);
  if (slot_.level == Level::position) {
    batch.counts = count_rows(batch.rows, sequences);
    batch.rows = slot_.reads > 1 ? batch.rows.view({-1, slot_.reads}) : batch.rows;
  }
  batch.labels = to_tensor(labels_);
  if (slot_.predicts == Predicts::numbers) {
    batch.values = at::tensor(values_, at::kFloat).view({count_, slot_.width});
  } else if (slot_.width > 1) {
    batch.labels = batch.labels.view({-1, slot_.width});
  }
  batch.total = static_cast<double>(count_);
  if (!weights_.empty()) {
    std::vector<float> all = weights_;
    all.resize(static_cast<size_t>(count_), 1);
    batch.weights = at::tensor(all, at::kFloat);
    batch.total = std::accumulate(all.begin(), all.end(), 0.0);
  }
  return batch;
}

}  // namespace lmzoo
