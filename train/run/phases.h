// The phases of a run (train/config/phases.h) with the steps that they have.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "train/loop/phase_place.h"
#include "train/run/assemble.h"

namespace lmzoo {

struct PhaseSpan {
  PhasePlace place;
  int64_t steps = 0;  // of the phase
};

// In order; one for a run without phases. Lengths in tokens need the texts: they are encoded by `tokenizer`.
std::vector<PhaseSpan> phase_spans(const LoadedConfig& loaded,
                                   const Registry& registry,
                                   const std::shared_ptr<const Tokenizer>& tokenizer);

// The phase of the newest checkpoint, or the one behind it when that is where it ends; 0 without a checkpoint.
size_t current_phase(const std::string& run, const std::vector<PhaseSpan>& spans);

// The last steps of all phases but the last: their checkpoints are kept.
std::vector<int64_t> phase_ends(const std::vector<PhaseSpan>& spans);

}  // namespace lmzoo
