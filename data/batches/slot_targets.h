// The targets of one slot, gathered over the examples of a batch (data/batches/collate.h).
#pragma once

#include <cstdint>
#include <vector>

#include "core/batch.h"
#include "core/example.h"

namespace lmzoo {

Tensor to_tensor(const std::vector<int64_t>& values);  // [n] int64

// Where the targets of a sequence stand in the batch.
struct RowsOfSequence {
  int64_t first_row = 0;  // of hidden()'s output: of its position 0, or what predicts target[0]
  int64_t length = 0;     // positions that may be labeled
  int64_t sequence = 0;   // its index in the batch
  int64_t group = 0;      // of the first sequence of its example
};

class SlotTargets {
 public:
  explicit SlotTargets(const Slot& slot) : slot_(slot) {}

  const Slot& slot() const { return slot_; }
  // std::logic_error when the target does not fit the slot or the sequence.
  void add(const Target& target, const RowsOfSequence& place);
  // `sequences`: those whose states the slot reads.
  SlotBatch finish(const Sequences& sequences) const;

 private:
  void check_fits(const Target& target, const RowsOfSequence& place) const;

  Slot slot_;
  std::vector<int64_t> rows_, labels_;
  std::vector<float> values_;
  std::vector<float> weights_;  // up to the last target that has any; empty: none has
  int64_t count_ = 0;           // K
};

}  // namespace lmzoo
