// Character n-grams of words, hashed to buckets (Bojanowski et al., "Enriching Word Vectors with Subword
// Information", 2017), bit for bit as fastText has them: a word stands between '<' and '>', n counts
// characters of UTF-8, a '<' or '>' alone is none, and the hash is FNV-1a that takes each byte as signed.
//
//   where, 3 to 4    <wh <whe whe wher her here ere ere> re>
//
// Several n-grams may share a bucket, and an n-gram that stands twice in a word counts twice.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/fields.h"
#include "base/words/word_index.h"

namespace lmzoo {

struct NgramOptions {
  int64_t min = 3;
  int64_t max = 6;
  int64_t buckets = 2'000'000;

  static constexpr void fields(auto& self, auto& visit) {
    visit("min", self.min, "characters of the shortest n-grams, '<' and '>' counted", between(1, 100));
    visit("max", self.max, "characters of the longest n-grams", between(1, 100));
    visit("buckets",
          self.buckets,
          "rows that n-grams share by their hash; fewer: less memory, more collisions",
          between(1, 1'000'000'000));
  }
  bool operator==(const NgramOptions&) const = default;
};

uint32_t ngram_hash(std::string_view ngram);

// Appends the bucket of every n-gram of the word, in fastText's order. `word` is valid UTF-8.
void append_ngrams(std::string_view word, const NgramOptions& options, std::vector<int32_t>& buckets);

// The buckets of every word of a vocabulary.
class NgramTable {
 public:
  NgramTable(const WordIndex& words, const NgramOptions& options);

  std::span<const int32_t> buckets(int64_t word) const {
    const auto i = static_cast<size_t>(word);
    return std::span(buckets_).subspan(starts_[i], starts_[i + 1] - starts_[i]);
  }

 private:
  std::vector<uint64_t> starts_{0};
  std::vector<int32_t> buckets_;
};

}  // namespace lmzoo
