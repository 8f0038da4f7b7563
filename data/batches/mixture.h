// The windows of one text or of several, each with its share of an epoch.
//
// An epoch is as long as all windows together. Each text has a fixed number of places in it, by its share, and fills them
// with its own windows in passes of its own: one whose share is larger than its size is read more than once an epoch, and
// a smaller share goes on where the epoch before stopped. Every pass has an order of its own, and the places of an epoch
// are shuffled like the windows of one text (data/batches/loader.h); so shares are exact, and which window stands where is a
// function of (seed, epoch, place) alone.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/sample.h"
#include "data/batches/windows.h"

namespace lmzoo {

struct MixedText {
  std::string name;
  Windows windows;
  double share = 1;  // of an epoch, relative to the shares of the others
};

class MixedWindows {
 public:
  // One text is a mixture, too; `corpus` as Sample has it.
  MixedWindows(Windows only, int64_t corpus = 0);  // NOLINT(google-explicit-constructor)
  // InputError when a text has no window, or a share that gives it no place in an epoch.
  MixedWindows(std::vector<MixedText> texts, uint64_t seed);

  int64_t size() const { return starts_.back(); }  // places of an epoch
  // Samples at a place of an epoch, Sample::corpus filled. Thread-safe.
  std::vector<Sample> window(uint64_t epoch, int64_t place) const;

  const std::vector<MixedText>& texts() const { return texts_; }
  double epoch_tokens() const;                      // ids of the texts, on average
  double epoch_words() const;                       // words, as ReadNotes has them
  int64_t corpus() const { return first_corpus_; }  // of the first text
  int64_t text_at(int64_t place) const;             // which of texts()
  int64_t places(int64_t text) const { return starts_[text + 1] - starts_[text]; }  // of an epoch

 private:
  // Of `whole`, a number of each store, what an epoch sees.
  template <class Whole>
  double of_epoch(const Whole& whole) const;

  std::vector<MixedText> texts_;
  std::vector<int64_t> starts_{0};  // [texts + 1] places before each
  int64_t first_corpus_ = 0;
  uint64_t seed_ = 0;
};

}  // namespace lmzoo
