// Texts and objectives for what is promised of draws.
#pragma once

#include "core/drawing_objective.h"
#include "core/witness.h"
#include "objectives/support.h"

namespace lmzoo::test {

inline constexpr int64_t kFirstWord = 46;  // what is smaller is no text

// An objective of a vocabulary of 160 ids: special tokens, 40 sentinels from 6 on, then words, of which the even ids begin one.
struct Made {
  std::string objective;
  Settings settings{};
  Architecture architecture = Architecture::encoder_decoder;
};
std::shared_ptr<Objective> objective_of(const Made& made);
std::vector<Promise> promises_of(const Objective& objective);

// 60 to 98 ids, at a place in a run of 100 steps.
Sample numbered_text(uint64_t number);
TrainingPlace numbered_place(uint64_t number);

// Every objective that draws, with its dialects and further options.
std::vector<Made> all_that_draw();

}  // namespace lmzoo::test
