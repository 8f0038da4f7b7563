// The noises of BART (Lewis et al., 2019, section 2.2), as fairseq's denoising_dataset.py has them. All but the last are
// functions of ids and of what was drawn for them. With [MASK] 4, full stop 9 and words that begin at every id but 13:
//
//   text      11 12 13 9 14 15 9
//   permuted  14 15 9 11 12 13 9                     sentences 1, 0
//   masked    14 4 11 4 9                            spans of 2 words from 15, of 1 from 12
//   inserted  14 4 4 11 4 9                          one more mask, for a span of no words
//   rotated   11 4 9 14 4 4                          begins with its fourth id
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/rng.h"

namespace lmzoo {

// Where sentences end, ascending: behind each full stop that follows another token, and behind the last id.
//     11 12 9 9 14    3 5
std::vector<int64_t> sentence_ends(std::span<const int64_t> ids, std::span<const int64_t> full_stops);
// The sentences in this order, which has each of them once.
std::vector<int64_t> reorder(std::span<const int64_t> ids,
                             std::span<const int64_t> ends,
                             std::span<const int64_t> order);
// An order of `count` in which a share, rounded up, has changed places among itself in any way.
std::vector<int64_t> draw_order(int64_t count, double share, Stream& stream);

// Lengths of spans in words until they make `budget`, the last cut to it; 0 is a span that only inserts a mask.
class PoissonLengths {
 public:
  explicit PoissonLengths(double mean);
  int64_t draw(Stream& stream) const;
  std::vector<int64_t> draw_until(int64_t budget, Stream& stream) const;
  double shorter_than(int64_t length) const;  // with this probability one is drawn

 private:
  std::vector<double> up_to_;  // P(length <= i), up to lengths of a probability below 1e-7
};

// A span of words that becomes one id.
struct InfilledSpan {
  int64_t start = 0;  // a position that begins a word
  int64_t words = 1;
  int64_t filler = 0;  // a mask, or a random id
};
// Spans may overlap, and then become one: of ids that several take away, none is left. `begins` [n]: 1 where a word does.
std::vector<int64_t> infill_spans(std::span<const int64_t> ids,
                                  std::span<const uint8_t> begins,
                                  std::span<const InfilledSpan> spans);

// `fillers` at these positions of the result, ascending.
std::vector<int64_t> insert_at(std::span<const int64_t> ids,
                               std::span<const int64_t> positions,
                               std::span<const int64_t> fillers);
// Without the ids at these positions, ascending.
std::vector<int64_t> erase_at(std::span<const int64_t> ids, std::span<const int64_t> positions);

// A share of a count, rounded up.
int64_t share_of(double share, int64_t count);
// So many different numbers of [0, total), ascending.
std::vector<int64_t> draw_positions(int64_t total, int64_t count, Stream& stream);

}  // namespace lmzoo
