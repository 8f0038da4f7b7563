// How BLEU is to be computed, and its first step: a text to words.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lmzoo {

// 13a: WMT's mteval-v13a; intl: mteval-v14's, by Unicode categories; character: each one a word; none: white
// space only.
enum class BleuTokenizer { v13a, international, character, none };
// What becomes of an order without a hit: its precision is halved again and again (exp), is a small number
// (floor), every order but the first gets a count for nothing (add_k), or the score is 0 (none). Chen and
// Cherry 2014.
enum class BleuSmoothing { exp, floor, add_k, none };

struct BleuOptions {
  BleuTokenizer tokenizer = BleuTokenizer::v13a;
  BleuSmoothing smoothing = BleuSmoothing::exp;
  std::optional<double> smoothing_value{};  // absent: 0.1 for floor, 1 for add_k
  bool effective_order = false;             // orders that the hypothesis is too short for do not count
  bool lowercase = false;
};

std::vector<std::string> bleu_words(std::string_view text, const BleuOptions& options);

}  // namespace lmzoo
