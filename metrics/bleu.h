// BLEU (Papineni et al. 2002) as sacreBLEU computes it (Post 2018), in percent.
//
//   score = BP * exp(mean over n = 1..4 of log precision_n)      BP = exp(1 - reference / hypothesis) if
//   shorter
//
// Counts add over sentences and are divided once, so the score of a corpus is not the mean of its sentences'.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/bleu_words.h"

namespace lmzoo {

inline constexpr int kBleuOrder = 4;

struct BleuCounts {
  int64_t hypothesis = 0;  // words
  int64_t reference = 0;   // words of the reference nearest in length
  std::array<int64_t, kBleuOrder> hits{}, total{};

  BleuCounts& operator+=(const BleuCounts& more);
  bool operator==(const BleuCounts&) const = default;
};
// At least one reference; each n-gram counts as often as in the reference that has most of it.
BleuCounts bleu_counts(std::string_view hypothesis,
                       std::span<const std::string> references,
                       const BleuOptions& options = {});

struct BleuScore {
  double score = 0;
  std::array<double, kBleuOrder> precisions{};
  double brevity_penalty = 0;
};
BleuScore bleu_score(const BleuCounts& counts, const BleuOptions& options = {});

using References = std::vector<std::vector<std::string>>;  // of each hypothesis
BleuScore corpus_bleu(std::span<const std::string> hypotheses,
                      const References& references,
                      const BleuOptions& options = {});
// With effective order, whatever the options say: without it most sentences score 0.
BleuScore sentence_bleu(std::string_view hypothesis,
                        std::span<const std::string> references,
                        BleuOptions options = {});

// sacreBLEU's line that tells how a score came about, as "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp";
// without its version.
std::string bleu_signature(const BleuOptions& options, const References& references);

}  // namespace lmzoo
