// Choosing the next token from logits: greedy, temperature, top-k (Fan et al. 2018, section 5.4) and top-p,
// the nucleus (Holtzman et al., ICLR 2020, section 3.1). Legend: V vocabulary.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/fields.h"
#include "base/rng.h"

namespace lmzoo {

struct SamplingOptions {
  double temperature = 1.0;      // logits are divided by it; 0 = greedy: always the most probable token
  std::optional<int64_t> top_k;  // keep so many most probable tokens
  std::optional<double> top_p;   // keep the fewest most probable tokens whose probabilities reach it

  static constexpr void fields(auto& self, auto& visit) {
    visit("temperature", self.temperature, "logits are divided by it; 0 = greedy", at_least(0));
    visit("top_k", self.top_k, "sample among so many most probable tokens", at_least(1));
    visit("top_p",
          self.top_p,
          "sample among the fewest tokens whose probabilities reach it",
          Range{0, 1, true, false});
  }
};

// A token that may still be drawn, with its probability; they sum to 1 and descend.
struct Candidate {
  int64_t id;
  double probability;
};

// What is left of `logits` [V] after temperature, top-k and top-p, in this order; ids whose logit is -inf
// never stay. A tie is ordered by id. Greedy leaves one.
std::vector<Candidate> candidates(std::span<const float> logits, const SamplingOptions& options);

// Draws one of them.
int64_t draw(std::span<const Candidate> among, Stream& stream);

}  // namespace lmzoo
