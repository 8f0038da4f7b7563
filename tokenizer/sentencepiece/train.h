// Training a SentencePiece model in this process, the same bits everywhere.
#pragma once

#include <cstdint>
#include <queue>
#include <string>
#include <string_view>
#include <vector>

#include "base/progress.h"
#include "text/source.h"
#include "tokenizer/options.h"

namespace lmzoo {

// A uniform sample, at most `limit` bytes, of a sequence of sentences of unknown length; which ones depends
// on their numbers only. Documents longer than a sentence may be are cut at spaces.
class SentenceSample {
 public:
  explicit SentenceSample(int64_t limit) : limit_(limit) {}
  void add(std::string_view document);
  std::vector<std::string> take();  // in the order of the corpus

 private:
  struct Entry {
    double lot;  // the sentences with the lowest lots are kept
    int64_t number;
    std::string text;
    bool operator<(const Entry& other) const { return lot < other.lot; }
  };
  void add_sentence(std::string_view sentence);

  int64_t limit_;
  int64_t bytes_ = 0;
  int64_t count_ = 0;
  std::priority_queue<Entry> kept_;
};

// That of a corpus, of `training_bytes`.
std::vector<std::string> sample_sentences(const TokenizerOptions& options,
                                          const TextOptions& corpus,
                                          const Progress& progress);

// The bytes of a .model of `size` pieces (special tokens on 0..6 included, sentinels not). Errors name
// vocab_size as the user gave it, that is with the sentinels.
std::string train_sentencepiece(const TokenizerOptions& options,
                                const TextOptions& corpus,
                                const Progress& progress);

inline constexpr int64_t kDefaultVocabSize = 8000;

}  // namespace lmzoo
