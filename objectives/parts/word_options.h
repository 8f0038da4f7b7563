// The YAML section `objective` of skipgram and cbow. They differ in what a label is predicted from: each word
// around (skipgram), or the sum or mean of all of them (cbow).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "base/fields.h"
#include "base/words/subsampling.h"

namespace lmzoo {

enum class WordOutput { negative_sampling, hierarchical_softmax };
template <>
struct EnumNames<WordOutput> {
  static constexpr std::pair<WordOutput, std::string_view> values[] = {
      {WordOutput::negative_sampling, "negative_sampling"},
      {WordOutput::hierarchical_softmax, "hierarchical_softmax"}};
};

enum class WordSigmoid { exact, table };
template <>
struct EnumNames<WordSigmoid> {
  static constexpr std::pair<WordSigmoid, std::string_view> values[] = {{WordSigmoid::exact, "exact"},
                                                                        {WordSigmoid::table, "table"}};
};

// Who sees the same negatives. Every pair has `negatives` of them in all three, from the same distribution,
// so the expected gradient is the same. What sharing changes: the noise of pairs that share is correlated.
//   none    each pair (word, word around) draws its own: word2vec.c
//   center  all pairs of one center word share: the pairs become one product of small matrices. The noise of
//           about `window` + 1 pairs is averaged over `negatives` words instead of over as many each
//   window  `window` center words in a row share too: fewest rows touched and least memory traffic; the noise
//           of some 30 pairs (window 5) comes from the same few words
enum class ShareNegatives { none, center, window };
template <>
struct EnumNames<ShareNegatives> {
  static constexpr std::pair<ShareNegatives, std::string_view> values[] = {
      {ShareNegatives::none, "none"}, {ShareNegatives::center, "center"}, {ShareNegatives::window, "window"}};
};

struct WordOptions {
  WordOutput output = WordOutput::negative_sampling;
  int64_t window = 5;
  int64_t negatives = 5;
  double sample = 1e-3;
  SampleFormula sample_formula = SampleFormula::word2vec;
  WordSigmoid sigmoid = WordSigmoid::exact;
  ShareNegatives share_negatives = ShareNegatives::center;
  std::optional<bool> cbow_mean{};

  static constexpr void fields(auto& self, auto& visit) {
    visit("output", self.output, "how a word is told from others");
    visit("window",
          self.window,
          "words on each side at most; each center word draws 1 to so many",
          between(1, 128));
    visit("negatives", self.negatives, "random words that a word is told from", between(1, 1000));
    visit("sample",
          self.sample,
          "share of the text above which a word is read less often; 0: read every word",
          half_open(0, 1));
    visit(
        "sample_formula", self.sample_formula, "how much less often: as word2vec's code or its paper has it");
    visit("sigmoid", self.sigmoid, "exact, or word2vec's table of 1000 values on [-6, 6]");
    visit("share_negatives",
          self.share_negatives,
          "which pairs share their negatives (objectives/parts/word_options.h)");
    visit("cbow_mean", self.cbow_mean, "cbow: mean of the words around instead of their sum; absent: mean");
  }
  bool operator==(const WordOptions&) const = default;
};

// The section is either objective's; a run knows by name which.
inline constexpr std::string_view kSkipgram = "skipgram";
inline constexpr std::string_view kCbow = "cbow";

}  // namespace lmzoo
