// Writing by masked diffusion: a model that predicts the hidden tokens of any share of a text writes by filling masks, a
// few at a time (Nie et al. 2025, LLaDA, arXiv 2502.09992, algorithm 5: low-confidence remasking). In each of N
// steps every mask of L gets a proposal; the surest stay, so that floor(L · i/N) are filled after step i, and the
// others are masks again. (Algorithm 4, which keeps proposals at random, writes worse: their table 7.)
//
// Legend: K masks that are left, V vocabulary.
#pragma once

#include <cstdint>
#include <vector>

#include "base/rng.h"
#include "core/model.h"
#include "infer/decode/sampling.h"

namespace lmzoo {

struct DenoiseOptions {
  int64_t mask = 0;   // the id that stands for what is to be written
  int64_t steps = 1;  // N, at most one for each mask
  SamplingOptions sampling{};
  std::vector<int64_t> forbidden{};  // never written, besides the mask
};

// `ids` with every mask filled. How sure a proposal is: its probability before temperature, top-k and top-p.
std::vector<int64_t> fill_masks(Model& model,
                                std::vector<int64_t> ids,
                                const DenoiseOptions& options,
                                Stream& stream);

}  // namespace lmzoo
