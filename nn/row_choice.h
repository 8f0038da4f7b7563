// Which rows the last block of a stack computes. Whoever reads only some of its outputs (masked LM reads one
// in seven, a classifier one a sequence) needs only their feed-forward network and, where every query sees
// all keys, only their queries; keys and values come from every position.
//
// Legend: n sequences, N positions, K wanted rows, K' computed rows.
#pragma once

#include <optional>

#include "core/batch.h"

namespace lmzoo {

struct RowChoice {
  Tensor rows;          // [K'] of N, in the order of the sequences; at least one of each
  Sequences sequences;  // n over K'
  Tensor wanted;        // [K] of K'; undefined: all of them, in order
};

// Nothing when computing all rows and taking the wanted ones then is no slower, or nobody counted them.
// Waits for no device.
std::optional<RowChoice> choose_rows(const WantedRows& wanted, const Sequences& all);

}  // namespace lmzoo
