// The training text as word2vec reads it: sentences (documents of the store, cut at `longest` words), and
// steps of kStepWords words, the unit of progress, of the learning rate and of what a thread takes.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "data/store/token_store.h"

namespace lmzoo {

inline constexpr int64_t kStepWords = 10'000;

// Words [first, first + count) of the store.
struct Sentence {
  int64_t first = 0;
  int64_t count = 0;
};

// Of the draws for a sentence in a pass of a run.
uint64_t sentence_seed(uint64_t run_seed, uint64_t epoch, const Sentence& sentence);

class WordCorpus {
 public:
  WordCorpus(std::shared_ptr<const TokenStore> store, int64_t longest);

  int64_t words() const { return store_->tokens(); }
  int64_t steps() const { return (words() + kStepWords - 1) / kStepWords; }  // of one pass
  // The sentences that begin within step `step` of a pass.
  void sentences(int64_t step, std::vector<Sentence>& to) const;
  void read(const Sentence& sentence, std::vector<int64_t>& ids) const;

 private:
  std::shared_ptr<const TokenStore> store_;
  int64_t longest_;
};

}  // namespace lmzoo
