#include "train/words/corpus.h"

#include <algorithm>

#include "base/rng.h"

namespace lmzoo {

uint64_t sentence_seed(uint64_t run_seed, uint64_t epoch, const Sentence& sentence) {
  return seed_of({.seed = run_seed,
                  .epoch = epoch,
                  .sample = static_cast<uint64_t>(sentence.first),
                  .purpose = Purpose::sampling});
}

WordCorpus::WordCorpus(std::shared_ptr<const TokenStore> store, int64_t longest)
    : store_(std::move(store)), longest_(longest) {}

void WordCorpus::sentences(int64_t step, std::vector<Sentence>& to) const {
  to.clear();
  const int64_t begin = step * kStepWords;
  const int64_t end = std::min(begin + kStepWords, words());
  for (int64_t document = store_->document_at(begin); document < store_->documents(); ++document) {
    const int64_t first = store_->first(document);
    const int64_t last = first + store_->length(document);
    if (first >= end) {
      return;
    }
    const int64_t skipped = first < begin ? (begin - first + longest_ - 1) / longest_ : 0;
    for (int64_t at = first + skipped * longest_; at < std::min(last, end); at += longest_) {
      to.push_back({at, std::min(longest_, last - at)});
    }
  }
}

void WordCorpus::read(const Sentence& sentence, std::vector<int64_t>& ids) const {
  ids.clear();
  store_->append(sentence.first, sentence.count, ids);
}

}  // namespace lmzoo
