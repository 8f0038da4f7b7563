// Options of how a text falls into words; counting and the tokenizer of words share them.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>

#include "base/fields.h"

namespace lmzoo {

// What becomes of punctuation at the edges of words ("(well-known)," is one word, four, or one without it).
enum class Punctuation { keep, split, drop };
template <>
struct EnumNames<Punctuation> {
  static constexpr std::pair<Punctuation, std::string_view> values[] = {
      {Punctuation::keep, "keep"}, {Punctuation::split, "split"}, {Punctuation::drop, "drop"}};
};

// Pairs of words that occur together far more often than alone become one word, as new_york (Mikolov et al.
// 2013, section 4). A second pass makes words of up to four, and so on.
struct PhraseOptions {
  int64_t passes = 1;
  double threshold = 100;
  int64_t min_count = 5;

  static constexpr void fields(auto& self, auto& visit) {
    visit("passes", self.passes, "how often pairs are joined; each pass reads the text twice", between(1, 8));
    visit("threshold",
          self.threshold,
          "least score (c_ab - min_count) · N / (c_a · c_b) of a pair that is joined; higher: fewer phrases",
          more_than(0));
    visit("min_count",
          self.min_count,
          "words and pairs that occur less often are no part of a phrase; also the discount of the score",
          at_least(1));
  }
  bool operator==(const PhraseOptions&) const = default;
};

}  // namespace lmzoo
