// What an encoder says at masked places, and what an encoder-decoder writes for sentinels.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/rng.h"
#include "infer/decode/generate.h"
#include "train/run/assemble.h"

namespace lmzoo {

struct Filling {
  int64_t id;
  std::string piece;   // the token alone
  std::string text;    // the whole text with it in place; every other mask gets its own best token
  double probability;  // softmax over the vocabulary
};

// The `count` most probable tokens of each [MASK] in `text`, which is read as the run reads texts, best first. Special tokens are not offered.
// Throws InputError when the text has no [MASK], the tokenizer has none, or the model is not an encoder.
std::vector<std::vector<Filling>> fill_mask(const LoadedRun& run, const std::string& text, int64_t count);

struct Infilling {
  std::vector<std::string> spans;  // what each sentinel of the text stands for, in the order of the text
  std::string text;                // the text with them in place
  std::vector<int64_t> target;     // the ids that the decoder wrote
};

// Fills <extra_id_0>, <extra_id_1>, ... of a text, T5's way: the decoder writes "<extra_id_0> span
// <extra_id_1> span". Throws InputError when the text has no sentinel or the model is no encoder-decoder.
Infilling infill_spans(const LoadedRun& run,
                       const std::string& text,
                       const GenerateOptions& options,
                       Stream& stream);

// The pure half of infill_spans: the span that follows each of `wanted` sentinels in `target`; a sentinel that the
// decoder never wrote has an empty one.
std::vector<std::vector<int64_t>> spans_of(const std::vector<int64_t>& target,
                                           const std::vector<int64_t>& wanted,
                                           const std::vector<int64_t>& sentinels);

}  // namespace lmzoo
