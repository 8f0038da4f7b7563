// Spans of words to hide (Joshi et al. 2020, "SpanBERT", section 3.1), as its code draws them
// (PairWithSpanMaskingScheme): lengths in words from a geometric distribution, until a share of the pieces is hidden.
#pragma once

#include <cstdint>
#include <vector>

#include "base/rng.h"
#include "objectives/parts/noise.h"

namespace lmzoo {

struct WordSpanNoise {
  double rate = 0.15;       // share of the pieces that is hidden, rounded up; in (0, 1)
  double stop_share = 0.2;  // p: a span of l words has probability p (1-p)^(l-1) / (1 - (1-p)^longest)
  int64_t longest = 10;
};

// Probabilities of 1, 2, ... words; with the defaults 0.2241 0.1792 0.1434 ... 0.0301, mean 3.797.
std::vector<double> word_span_shares(const WordSpanNoise& noise);

// A text of which more and more is hidden.
class HiddenText {
 public:
  // `words` that together are the whole text, of which `budget` positions are to be hidden.
  HiddenText(const Units& words, int64_t budget);

  bool is_full() const { return left_ == 0; }
  // Hides so many words from the one that `anchor` is in, as far as text and budget go. Nothing where the anchor is
  // hidden already.
  void hide(int64_t anchor, int64_t count);
  // Runs of hidden positions: spans that touch are one.
  Units spans() const;

 private:
  const Units& words_;
  std::vector<int64_t> word_of_;  // each position
  std::vector<bool> hidden_;
  int64_t left_;
};

// One that is drawn: so many words from the one that a position is in.
struct DrawnWordSpan {
  int64_t words = 1, anchor = 0;
};
// In the order in which they were drawn, and what they hide together.
struct DrawnWordSpans {
  std::vector<DrawnWordSpan> draws;
  Units spans;
};
DrawnWordSpans draw_word_spans(const Units& words, const WordSpanNoise& noise, Stream& stream);
// The number of positions that are hidden of a text with so many.
int64_t word_span_budget(int64_t length, const WordSpanNoise& noise);

}  // namespace lmzoo
