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
#include <utility>
#include <vector>

#include "base/fields.h"
#include "base/progress.h"
#include "core/model.h"
#include "tokenizer/tokenizer.h"

namespace lmzoo {

// mean: over all positions that the model reads, [CLS], [SEP] and </s> too, as sentence encoders are trained.
// own: over the text's own tokens only. first, last: of all positions, so that `first` of an encoder is
// [CLS].
enum class TextPooling { mean, own, first, last };
template <>
struct EnumNames<TextPooling> {
  static constexpr std::pair<TextPooling, std::string_view> values[] = {{TextPooling::mean, "mean"},
                                                                        {TextPooling::own, "own"},
                                                                        {TextPooling::first, "first"},
                                                                        {TextPooling::last, "last"}};
};

// A text as a model reads it.
struct ReadText {
  std::vector<int64_t> ids;  // special tokens included
  int64_t begin = 0;         // where the text's own tokens are: [begin, begin + length)
  int64_t length = 0;
};
ReadText read_text(const Model& model, const Tokenizer& tokenizer, std::span<const int64_t> own_ids);

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
  bool truncate = false;  // longer texts than the model takes are cut, instead of refused
};

// [n, D] float32 on the CPU.
Tensor encode_texts(Model& model,
                    std::span<const ReadText> texts,
                    const EncodeOptions& options,
                    const Progress& progress = {});

// The texts' ids; `truncate` as above.
std::vector<ReadText> read_texts(const Model& model,
                                 const Tokenizer& tokenizer,
                                 const std::vector<std::string>& texts,
                                 bool truncate);

}  // namespace lmzoo
