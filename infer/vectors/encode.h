// Vectors of texts by a transformer of any architecture: the states of a layer, pooled.
//
// Layer 0 is the embedding's output, layer L the states after the L-th block (the last one after the final
// norm). An encoder-decoder reads texts with its encoder.
//
// Legend: n texts, T positions of a text, N positions in all, D width.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/progress.h"
#include "tokenizer/tokenizer.h"
#include "train/exchange/ask_options.h"
#include "train/run/assemble.h"

namespace lmzoo {

// A text as a model reads it.
struct ReadText {
  std::vector<int64_t> ids;  // special tokens included
  int64_t begin = 0;         // where the text's own tokens are: [begin, begin + length)
  int64_t length = 0;
  bool cut = false;          // the text was longer
  bool prefix_mask = false;  // as in Reading
};
ReadText read_text(const Parts& parts, std::span<const int64_t> own_ids);

// Calls `use` with the index of each text and its states [T, D] after every layer, in order. Texts are
// computed together, about `kPositionsAtOnce` positions at a time. InputError when one is longer than the
// model takes.
inline constexpr int64_t kPositionsAtOnce = 4096;
using UseStates = std::function<void(size_t text, const std::vector<Tensor>& layers)>;
void for_each_states(Model& model,
                     std::span<const ReadText> texts,
                     const UseStates& use,
                     const Progress& progress = {});

struct EncodeOptions {
  std::optional<int64_t> layer{};  // absent: the last
  TextPooling pooling = TextPooling::mean;
  bool truncate = false;                // longer texts than the model takes are cut, instead of refused
  std::optional<int64_t> max_length{};  // longer texts are cut in any case; absent: what the model takes
};

// As the run is asked (reading.ask), of its last layer.
EncodeOptions asked_so(const Parts& parts);

// [n, D] float32 on the CPU.
Tensor encode_texts(Model& model,
                    std::span<const ReadText> texts,
                    const EncodeOptions& options,
                    const Progress& progress = {});

// The texts' ids, cut as the options say.
std::vector<ReadText> read_texts(const Parts& parts,
                                 const Tokenizer& tokenizer,
                                 const std::vector<std::string>& texts,
                                 const EncodeOptions& options);

}  // namespace lmzoo
