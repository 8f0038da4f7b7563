// The YAML section `model` of word vectors.
#pragma once

#include <cstdint>
#include <optional>

#include "base/words/ngrams.h"

namespace lmzoo {

struct Word2vecOptions {
  int64_t width = 100;
  std::optional<NgramOptions> ngrams{};

  static constexpr void fields(auto& self, auto& visit) {
    visit("width", self.width, "D: numbers that stand for a word", between(1, 100'000));
    visit("ngrams",
          self.ngrams,
          "words are read by their character n-grams too, so that unknown words have vectors; absent: no");
  }
  bool operator==(const Word2vecOptions&) const = default;
};

}  // namespace lmzoo
