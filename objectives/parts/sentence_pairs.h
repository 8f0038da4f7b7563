// Two segments of text, for objectives that learn what follows what (Devlin et al. 2019, "BERT", section 3.1 and appendix
// A.2), cut out of a document as google-research/bert's create_pretraining_data.py does it:
//
//   sentences   a b | c | d e | f      whole ones are taken until there are as many ids as a pair shall have, here 4
//   chunk       a b | c | d e          the next begins with f
//   split       a b and c d e, or a b c and d e: behind any sentence of the chunk but its last
//   too long    the longer segment (the second of two as long) loses an id at its front or its back, each with
//               probability 1/2, until both fit
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/rng.h"
#include "base/sample.h"

namespace lmzoo {

// The sentences of a sample, which must live longer.
class SentenceText {
 public:
  // InputError naming the objective when the sample has none.
  SentenceText(const Sample& sample, std::string_view user);

  int64_t count() const { return std::ssize(sample_.sentence_starts); }
  std::span<const int64_t> ids(int64_t first, int64_t end) const;  // of sentences [first, end)
  // The first sentence behind those that from `first` on have `target` ids or more: at least one; all that are left when
  // they have fewer.
  int64_t end_of(int64_t first, int64_t target) const;

 private:
  int64_t start(int64_t sentence) const;

  const Sample& sample_;
};

struct SegmentPair {
  std::vector<int64_t> first;
  std::vector<int64_t> second;  // empty: a text by itself
  int64_t label = -1;           // its class; -1: none is asked for
};

// Both cut to `room` ids together.
SegmentPair cut_pair(std::span<const int64_t> first,
                     std::span<const int64_t> second,
                     int64_t room,
                     Stream& stream);

}  // namespace lmzoo
