// Some examples of a batch as a batch of their own: what one objective of several reads and predicts.
#pragma once

#include <cstdint>
#include <span>

#include "core/batch.h"
#include "core/example.h"

namespace lmzoo {

// The slots [first, first + slots.size()) of a batch, which are `slots`; all their targets are of the chosen examples.
struct SlotRange {
  int64_t first = 0;
  std::span<const Slot> slots;
};

// `examples`: numbers of examples, ascending. Their sequences, notes and the slots of the range, rows counted anew.
// Batch::samples and Batch::corpora, which are of windows, stay empty.
Batch part_of(const Batch& batch, std::span<const int64_t> examples, const SlotRange& range);

}  // namespace lmzoo
