// Continues sequences token by token: a decoder-only model continues its prompt, an encoder-decoder writes a
// target for its source. Prompts of any lengths are written together; one that ends makes room.
//
// Legend: V vocabulary.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "base/rng.h"
#include "core/model.h"
#include "infer/decode/reader.h"
#include "infer/decode/sampling.h"

namespace lmzoo {

struct GenerateOptions {
  int64_t max_tokens = 64;  // new tokens at most
  SamplingOptions sampling;
  bool cache = true;               // false: recompute every position; slow, for comparison
  std::vector<int64_t> stop;       // generation ends before any of these
  std::vector<int64_t> forbidden;  // never generated
  std::optional<int64_t>
      steps{};  // of a model that fills masks: so many passes; absent: one for each new token
};

// The new ids of each prompt, without the stop symbol. streams[i] draws those of prompts[i], which are the
// same whatever stands beside it (to the rounding of products of several rows). Throws InputError when context
// and max_tokens exceed the model's max_length. `seen` is called with every new id as it is made, for showing
// it.
using SeenToken = std::function<void(size_t prompt, int64_t id)>;
std::vector<std::vector<int64_t>> generate(Model& model,
                                           std::span<const Prompt> prompts,
                                           const GenerateOptions& options,
                                           std::span<Stream> streams,
                                           const SeenToken& seen = {});
std::vector<int64_t> generate(Model& model,
                              const Prompt& prompt,
                              const GenerateOptions& options,
                              Stream& stream,
                              const std::function<void(int64_t)>& seen = {});

// So many prompts are written together where there are many: their states are in memory at once.
inline constexpr size_t kPromptsAtOnce = 16;

// Σ log p(continuation | prompt), natural logarithm, and whether greedy decoding would have produced it.
struct Score {
  double log_probability = 0;
  bool greedy = true;
};
Score score(Model& model, const Prompt& prompt, std::span<const int64_t> continuation);

}  // namespace lmzoo
