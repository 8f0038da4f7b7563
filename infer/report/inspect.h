// Real training examples as a model gets them, for people: what the text was, which ids are read, which are
// predicted.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "io/json.h"
#include "train/run/assemble.h"

namespace lmzoo {

struct InspectedToken {
  int64_t id = 0;
  std::string piece;
};

// One position that the model reads, and what it must predict there.
struct InspectedPosition {
  InspectedToken input;
  bool special = false;   // a special token: [CLS], [MASK], a sentinel, ...
  bool sees_all = false;  // of a decoder: visible from everywhere (prefix)
  std::optional<InspectedToken> label;
};

// A sequence of positions: the only one of encoder-only and decoder-only models, or encoder and decoder.
struct InspectedSequence {
  std::string name;       // "input", "encoder", "decoder"
  std::string attention;  // "every position sees every other", ...
  std::vector<InspectedPosition> positions;
};

// A prediction of word vectors.
struct InspectedGroup {
  std::vector<InspectedToken> inputs;  // the words around
  InspectedToken word;
  std::vector<InspectedToken> negatives;  // what the word is told from
  std::vector<std::pair<int64_t, int>>
      path{};  // or in its place: inner nodes from the root on, and the branch at each
};

struct InspectedExample {
  uint64_t window = 0;
  std::string text;                 // of the sample, decoded
  std::vector<InspectedToken> ids;  // of the sample, before the objective
  std::vector<InspectedSequence> sequences;
  std::vector<InspectedGroup> groups{};  // of word vectors, in place of sequences
  std::string label;                     // class of the whole text, if it has one
};

// The first `count` examples of training, with the corruption that training draws. Makes tokenizer and token
// store if they are not in the cache.
std::vector<InspectedExample> inspect_examples(const LoadedConfig& loaded,
                                               const Registry& registry,
                                               int64_t count);

// For a terminal of so many columns; `color` with escape sequences.
std::string to_terminal(const InspectedExample& example, bool color, size_t columns);
// One self-contained page.
std::string to_html(const std::vector<InspectedExample>& examples, const std::string& title);
Json to_json(const InspectedExample& example);

}  // namespace lmzoo
