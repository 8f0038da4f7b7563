// The words of a corpus and how often each occurs: what a vocabulary of words is made of.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/progress.h"
#include "base/words/word_index.h"
#include "text/source.h"
#include "text/words/options.h"
#include "text/words/phrases.h"
#include "text/words/split.h"

namespace lmzoo {

struct WordCounts {
  WordIndex words;
  std::vector<int64_t> counts;  // of word i
  int64_t missed = 0;           // counts may be too low by so much (CountRequest::most_entries)
};

// The words of a text, phrases joined. Reused from text to text, so that it keeps its memory; the words are
// valid until the next call.
class WordReader {
 public:
  WordReader(const WordRules& rules, const Phrases& phrases) : rules_(rules), phrases_(&phrases) {}
  const std::vector<std::string_view>& words(std::string_view text);

 private:
  WordRules rules_;
  const Phrases* phrases_;
  std::string bytes_;
  std::vector<size_t> ends_;
  std::vector<std::string_view> words_;
};

struct CountRequest {
  TextOptions text;
  WordRules rules;
  int threads = 2;
  // Memory of counting is bounded, however large the corpus is: all threads together hold so many different
  // words, or pairs of words for phrases, at about 150 bytes each. A thread that has more than its share
  // forgets the rarer half of what it has met. Until then counts are exact and the same with any number of
  // threads; from then on they may be too low, by WordCounts::missed at most.
  int64_t most_entries = 30'000'000;
};

// Every word, in no particular order.
WordCounts count_words(const CountRequest& request, const Phrases& phrases, const Progress& progress = {});

// The words that occur at least `min_count` times, the most frequent `max_words` of them (0: all), from the
// most to the least frequent; ties by their bytes. None is an InputError that tells what there was.
WordCounts select_words(const WordCounts& all, int64_t min_count, int64_t max_words);

// Finds the phrases of a corpus.
Phrases learn_phrases(const CountRequest& request,
                      const PhraseOptions& options,
                      const Progress& progress = {});

}  // namespace lmzoo
