// Continues a sequence token by token: a decoder-only model continues its prompt, an encoder-decoder writes a
// target for its source. With a key/value cache a step costs one position; without, all of them. The tokens
// are the same.
//
// Legend: V vocabulary.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/rng.h"
#include "core/model.h"
#include "infer/decode/sampling.h"

namespace lmzoo {

struct GenerateOptions {
  int64_t max_tokens = 64;  // new tokens at most
  SamplingOptions sampling;
  bool cache = true;               // false: recompute every position; slow, for comparison
  std::vector<int64_t> stop;       // generation ends before any of these
  std::vector<int64_t> forbidden;  // never generated
};

// What is to be continued.
struct Prompt {
  std::vector<int64_t> source;   // encoder-decoder: the encoder's ids; else empty
  std::vector<int64_t> context;  // ids the decoder has already; at least one (for T5 the start symbol, pad)
};

// The new ids, without the stop symbol. Throws InputError when context and max_tokens exceed the model's
// max_length. `seen` is called with every new id as it is made, for showing it.
std::vector<int64_t> generate(Model& model,
                              const Prompt& prompt,
                              const GenerateOptions& options,
                              Stream& stream,
                              const std::function<void(int64_t)>& seen = {});

// Σ log p(continuation | prompt), natural logarithm, and whether greedy decoding would have produced it.
struct Score {
  double log_probability = 0;
  bool greedy = true;
};
Score score(Model& model, const Prompt& prompt, std::span<const int64_t> continuation);

}  // namespace lmzoo
