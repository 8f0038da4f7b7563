// ROUGE (Lin 2004) as the rouge_score package computes it: overlap of single words, of pairs, and of the
// longest common subsequence, of the whole text (L) or summed over its lines (Lsum).
//
// Words are runs of a-z and 0-9 after lower case; anything else only separates them, so that texts in other
// scripts have none.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lmzoo {

struct RougeScore {
  double precision = 0;
  double recall = 0;
  double f1 = 0;
};
struct Rouge {
  RougeScore rouge1, rouge2, rougeL, rougeLsum;
};
struct RougeOptions {
  bool stemmer = false;  // words of over 3 letters by their Porter stem
};

// In [0, 1].
Rouge rouge(std::string_view truth, std::string_view predicted, const RougeOptions& options = {});
// For each score the truth with the best F1; at least one.
Rouge rouge(std::span<const std::string> truths,
            std::string_view predicted,
            const RougeOptions& options = {});

// The parts.
std::vector<std::string> rouge_words(std::string_view text, bool stemmer);
RougeScore rouge_n(std::span<const std::string> truth, std::span<const std::string> predicted, int64_t n);
RougeScore rouge_l(std::span<const std::string> truth, std::span<const std::string> predicted);
using Sentences = std::vector<std::vector<std::string>>;
RougeScore rouge_lsum(const Sentences& truth, const Sentences& predicted);

}  // namespace lmzoo
