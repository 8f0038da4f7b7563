// What the ids of a stored document are, when it has more than one text and a class: a list of int32, in this
// order, a count before each list.
//
//   texts, choices      counts of both, then the ids that each has; last the ids of the target
//   value               0, or 1 and the bits of a float64 as two numbers
//   set                 count, indexes of classes
//   tags                count, first id of each word, class of each word
//   sentences           count, first id of each
//   passage             0, or 1: count of ids and the bytes [begin, end) of each, count of answers and theirs
//   label               which choice is right; -1 without
//
// The ids of a document are those of its texts, then of its choices, then of its target.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/sample.h"

namespace lmzoo {

// `ids`: of the first text.
void append_notes(std::span<const int64_t> ids, const Sample& columns, std::vector<int32_t>& notes);
void append_further_ids(const Sample& columns, std::vector<int64_t>& ids);
// The inverse. Notes that do not fit the ids are an InputError.
Sample read_notes(std::span<const int64_t> ids, std::span<const int32_t> notes, std::string_view passage);

}  // namespace lmzoo
