// Word vectors as the beginning of a transformer's token embedding: a token that is a word of the vectors
// gets its vector, all others keep their fresh values.
//
// Legend: V tokens, D width of the model, S width of the vectors, M tokens that match.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/fields.h"
#include "core/model.h"
#include "tokenizer/tokenizer.h"

namespace lmzoo {

// How vectors wider than the model are made narrower: onto the D directions in which the matching vectors
// vary most, or onto D random ones. Narrower vectors are always turned into D dimensions by a random map that
// keeps all their inner products.
enum class VectorProjection { pca, random };
template <>
struct EnumNames<VectorProjection> {
  static constexpr std::pair<VectorProjection, std::string_view> values[] = {
      {VectorProjection::pca, "pca"}, {VectorProjection::random, "random"}};
};

struct EmbeddingStartOptions {
  std::string from = "";
  int64_t limit = 0;
  VectorProjection projection = VectorProjection::pca;
  std::optional<double> scale{};

  static constexpr void fields(auto& self, auto& visit) {
    visit("from", self.from, "a file of word vectors or a word2vec run for the token embedding; empty: none");
    visit("limit", self.limit, "use only so many first words of it, the most frequent; 0: all", at_least(0));
    visit("projection",
          self.projection,
          "vectors wider than the model: pca keeps the directions that vary most, random keeps random ones");
    visit("scale",
          self.scale,
          "vectors are multiplied by it; absent: their root mean square becomes that of the fresh rows",
          more_than(0));
  }
  bool operator==(const EmbeddingStartOptions&) const = default;
};

struct EmbeddingStartReport {
  std::string from;
  int64_t words = 0;    // that have a vector
  int64_t tokens = 0;   // V, without special tokens
  int64_t matched = 0;  // M
  int64_t width_from = 0, width_to = 0;
  double scale = 1;
};
// "5123 of 7893 tokens (64.9 %) begin with vectors of FILE (100 -> 256 dimensions, times 0.021)"
std::string to_text(const EmbeddingStartReport& report);

// Fills rows of `tokens.weight`. `seed` decides random directions. InputError when nothing matches.
EmbeddingStartReport start_embedding(Model& model,
                                     const Tokenizer& tokenizer,
                                     const EmbeddingStartOptions& options,
                                     uint64_t seed);

// The word that each token of a vocabulary stands for.
struct TokenWord {
  std::string word;  // "▁owl" is "owl"; empty for a special token
  bool begins_word =
      true;  // false: "ing" of a vocabulary that writes "▁owl" for a token at a word's beginning
};
std::vector<TokenWord> token_words(const Tokenizer& tokenizer);

// The parameter `tokens.weight` [V, D] of a model; InputError when it has none.
Tensor token_embedding(const Model& model);

}  // namespace lmzoo
