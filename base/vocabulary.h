// What models and objectives need to know of a tokenizer: how many ids there are and which of them are
// special.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/check.h"

namespace lmzoo {

class WordIndex;  // base/words/word_index.h

// How a published tokenizer writes one or two texts for its model:
//   a      before a after                      [CLS] a [SEP]
//   a, b   before a between b after            [CLS] a [SEP] b [SEP]     RoBERTa: <s> a </s></s> b </s>
struct InputTemplate {
  std::vector<int64_t> before{}, between{}, after{};
  bool second_type = false;  // b and what follows it have token type 1, all else 0 (BERT)
  // Around a text without a second one, where it is not framed as a pair is: a template without its own "pair".
  struct Alone {
    std::vector<int64_t> before{}, after{};
    bool operator==(const Alone&) const = default;
  };
  std::optional<Alone> alone{};

  bool operator==(const InputTemplate&) const = default;
};

// What objectives may ask of the tokenizer itself. Any two are equal: they say nothing of which ids there are.
struct TokenizerQueries {
  std::function<std::vector<int64_t>(std::string_view text)> encode{};  // without special tokens
  std::function<std::optional<int64_t>(std::string_view piece)>
      id_of_piece{};  // or of a special token's name

  bool operator==(const TokenizerQueries&) const { return true; }
};

// Whether a word begins before an id, or ends behind it, wherever the id stands: "▁dog" and "Ġdog" begin one, "##s"
// does not, "dog</w>" ends one.
struct WordEdges {
  bool begins = true;
  bool ends = false;

  bool operator==(const WordEdges&) const = default;
};

struct Vocabulary {
  int64_t size = 0;  // ids are in [0, size)
  std::optional<int64_t> pad, unk, bos, eos, cls, sep, mask;
  std::vector<int64_t> sentinels;  // <extra_id_0>, <extra_id_1>, ... in this order (T5: descending ids)
  // How often each word of the training text occurred: word i is id i and all other ids follow, so this is
  // also the number of words. Null when ids are pieces, bytes or characters.
  std::shared_ptr<const std::vector<int64_t>> counts{};
  // Those words; null with `counts`.
  std::shared_ptr<const WordIndex> words{};
  // Of a published tokenizer: the frame that its post-processor makes; empty lists where it makes none.
  std::optional<InputTemplate> inputs{};
  // Of each id; null where nobody asked the tokenizer's pieces (tokenizer/vocabulary_of.h does).
  std::shared_ptr<const std::vector<WordEdges>> edges{};
  // Empty functions where the tokenizer is yet to be trained (a plan).
  TokenizerQueries ask{};

  bool is_special(int64_t id) const {
    for (const auto& special : {pad, bos, eos, cls, sep, mask}) {
      if (special == id) {
        return true;
      }
    }
    for (const int64_t sentinel : sentinels) {
      if (sentinel == id) {
        return true;
      }
    }
    return false;
  }

  bool operator==(const Vocabulary&) const = default;
};

// The id of a special token that `user` cannot do without.
inline int64_t required_token(const std::optional<int64_t>& id,
                              std::string_view token,
                              std::string_view user) {
  check(id.has_value(), "{} needs a tokenizer with {}, and this one has none", user, token);
  return *id;
}

}  // namespace lmzoo
