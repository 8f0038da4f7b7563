// How a text becomes what a model reads: one text or two with the special tokens around them, and the symbol
// that a decoder begins with. Objectives frame their samples with it, adapters their targets, and queries what
// they ask.
//
//   frame auto    as the tokenizer says (Vocabulary::inputs); an own one: bert when it has [CLS] and [SEP],
//                 else plain
//   frame bert    101 7592 102                    [CLS] hello [SEP]
//                 101 7592 102 2088 102           [CLS] hello [SEP] world [SEP]    token types 0 0 0 1 1
//   frame plain   7592 1                          hello </s>
//                 7592 1 2088 1                   hello </s> world </s>
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fields.h"
#include "base/vocabulary.h"
#include "core/model.h"

namespace lmzoo {

enum class FrameKind { automatic, bert, plain };
template <>
struct EnumNames<FrameKind> {
  static constexpr std::pair<FrameKind, std::string_view> values[] = {
      {FrameKind::automatic, "auto"}, {FrameKind::bert, "bert"}, {FrameKind::plain, "plain"}};
};

struct FramedTexts {
  std::vector<int64_t> ids;
  std::vector<int64_t> token_types;  // empty: all 0
  int64_t first = 0, second = 0;     // where the texts begin; second: the end without one
};

class InputFrame {
 public:
  // InputError when the vocabulary lacks a token of this kind of frame.
  InputFrame(FrameKind kind, const Vocabulary& vocabulary, std::string_view objective);
  explicit InputFrame(InputTemplate frame) : frame_(std::move(frame)) {}

  // A text that belongs to no task: a query, or what is embedded.
  //   encoder-only      as the tokenizer says; else [CLS] text [SEP] where it has both, else the text alone
  //   encoder-decoder   text eos, where there is one: the encoder's source
  //   decoder-only      the text alone
  static InputFrame of_text(Architecture architecture, const Vocabulary& vocabulary);
  // A source before its target, of any architecture: text eos. InputError without eos.
  static InputFrame of_source(const Vocabulary& vocabulary);

  // Special ids around one text or two.
  int64_t added(int64_t texts) const;

  FramedTexts one(std::span<const int64_t> text) const;
  FramedTexts pair(std::span<const int64_t> a, std::span<const int64_t> b) const;

 private:
  InputTemplate frame_;
};

// What a decoder reads before its first symbol: pad, or bos or eos where a vocabulary lacks it. InputError when
// it has none of them.
int64_t start_symbol(const Vocabulary& vocabulary);

// How many ids two texts keep when only `room` ids are left: the longer one is cut to the length of the
// other, then both (the rule `longest_first` of Hugging Face tokenizers).
std::pair<int64_t, int64_t> longest_first(int64_t a, int64_t b, int64_t room);

// The first ids of a text, at most `count`.
inline std::span<const int64_t> head_of(std::span<const int64_t> ids, int64_t count) {
  return ids.first(static_cast<size_t>(std::min<int64_t>(std::ssize(ids), std::max<int64_t>(count, 0))));
}

}  // namespace lmzoo
