// Corruption as pure functions of ids, numbers and a random stream. Objectives compose them; nothing here
// knows options, models or batches.
//
// Counts are rounded half to even, like Python's round and numpy: 0.15 · 30 = 4.5 gives 4.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/rng.h"

namespace lmzoo {

int64_t round_half_even(double x);

// ---- single tokens ----

// `count` different candidates (all of them when there are fewer), every subset equally likely; ascending
// when the candidates are.
std::vector<int64_t> choose_exactly(std::span<const int64_t> candidates, int64_t count, Stream& stream);

// Each candidate on its own with probability `rate`; in their order.
std::vector<int64_t> choose_each(std::span<const int64_t> candidates, double rate, Stream& stream);

// The same number in the mean, each in proportion to the weight that stands beside it; one whose probability would exceed 1
// is taken.
std::vector<int64_t> choose_weighted(std::span<const int64_t> candidates,
                                     std::span<const double> weights,
                                     double rate,
                                     Stream& stream);

// `count` candidates with replacement, ascending: one may come several times. None of no candidates.
std::vector<int64_t> choose_with_replacement(std::span<const int64_t> candidates,
                                             int64_t count,
                                             Stream& stream);

// What stands in the place of a chosen token: the mask with probability mask_share, an id uniform in
// [0, vocabulary_size) with probability random_share, else the token itself.
struct Replacement {
  int64_t mask = 0;
  int64_t vocabulary_size = 0;
  double mask_share = 0.8;
  double random_share = 0.1;
  std::vector<int64_t> pool{};  // random ids are of these alone; empty: any id
};
std::vector<int64_t> draw_replacements(std::span<const int64_t> originals,
                                       const Replacement& replacement,
                                       Stream& stream);
// The same, but tokens of one unit (a word, a span) are all masked, all random (each an id of its own) or all kept.
// `sizes` of the units add to the number of originals.
std::vector<int64_t> draw_replacements(std::span<const int64_t> originals,
                                       std::span<const int64_t> sizes,
                                       const Replacement& replacement,
                                       Stream& stream);

struct MaskedText {
  std::vector<int64_t> ids;
  std::vector<int64_t> positions;  // [k], ascending
  std::vector<int64_t> labels;     // [k]
  std::vector<float> weights{};    // [k]; empty: 1 each
};

// ids with `replacements` at `positions` (ascending); the labels are what stood there. With BERT's ids of
// "[CLS] the quick brown fox jumps over the lazy dog [SEP]":
//     ids           101 1996 4248 2829 4419 14523 2058 1996 13971 3899 102
//     positions     3 4 9
//     replacements  103 2829 3899
//     ids           101 1996 4248 103 2829 14523 2058 1996 13971 3899 102
//     labels        2829 4419 3899
MaskedText replace_tokens(std::vector<int64_t> ids,
                          std::vector<int64_t> positions,
                          std::span<const int64_t> replacements);

// Between [CLS] and [SEP].
std::vector<int64_t> framed_text(int64_t cls, std::span<const int64_t> ids, int64_t sep);

// ---- tokens that are hidden together ----

// Words, or pieces of a text: each some of its positions.
struct Units {
  std::vector<int64_t> positions{};  // ascending
  std::vector<int64_t> ends{};       // of each unit, in `positions`

  int64_t count() const { return std::ssize(ends); }
  std::span<const int64_t> at(int64_t unit) const {
    const int64_t begin = unit == 0 ? 0 : ends[static_cast<size_t>(unit - 1)];
    return std::span(positions).subspan(begin, ends[static_cast<size_t>(unit)] - begin);
  }
  void append(std::span<const int64_t> unit);  // one of no positions is left out
};
Units chosen_of(const Units& units, std::span<const int64_t> ascending);
std::vector<int64_t> random_order(int64_t count, Stream& stream);  // 0 ... count-1

// Units in `order` that together have at most `budget` positions: one that would be too much is passed over.
// (BERT's whole words.) Returns them ascending.
std::vector<int64_t> take_fitting(const Units& units, std::span<const int64_t> order, int64_t budget);
// Units in `order` until they have `count` positions or more; ascending. (GPT-BERT)
std::vector<int64_t> take_until(const Units& units, std::span<const int64_t> order, int64_t count);

// ---- spans ----

// How programs count noise; they differ at few lengths (density 0.15: 190, 350, 390 ... ids).
enum class CountRule {
  float64,    // noise / mean_length spans
  t5_google,  // the same in float32, as TensorFlow computes it
  t5_hf,      // float64; min(noise, kept) / mean_length spans, as Hugging Face's run_t5_mlm_flax.py has it
};

struct SpanNoise {
  double density = 0.15;   // share of the ids that is noise, in (0, 1)
  double mean_length = 3;  // ids in a span, at least 1
  CountRule rule = CountRule::float64;
};

// Numbers for a text of `length` ids: at least 1 noise id and 1 other from 2 ids on, between them at least 1
// span. Neither falls when the length grows. Less than 2 ids have no noise.
struct SpanCounts {
  int64_t noise = 0;
  int64_t spans = 0;
};
SpanCounts span_counts(int64_t length, const SpanNoise& noise);

// `total` as a sum of `parts` positive numbers, every composition equally likely. 1 <= parts <= total.
std::vector<int64_t> random_partition(int64_t total, int64_t parts, Stream& stream);

// [length] 1 = noise. Begins with kept ids and ends in noise: runs of both alternate.
std::vector<uint8_t> span_mask(int64_t length, const SpanNoise& noise, Stream& stream);
// The same count of noise at single places, every subset equally likely.
std::vector<uint8_t> token_mask(int64_t length, const SpanNoise& noise, Stream& stream);

// How runs of noise become sentinels.
struct SentinelForm {
  std::vector<int64_t> sentinels;  // of span 0, 1, ...
  int64_t eos = 0;
  bool closing = false;         // the target ends in one more sentinel even if the text ends in noise
  bool label_sentinels = true;  // false: sentinels of the target have no loss

  // Sentinels that a text with a mask of span_mask() uses.
  int64_t needed(const SpanCounts& counts) const {
    return counts.spans + (closing || counts.spans == 0 ? 1 : 0);
  }
};

struct CorruptedText {
  std::vector<int64_t> source, target;
  std::vector<int64_t> unlabeled{};  // ascending positions of `target` without a loss; usually none
};

// Source: the text with sentinel i for noise run i, then eos. Target: sentinel i before noise run i, one more
// sentinel when kept ids follow the last run (or `closing`), then eos. With T5's ids:
//     ids      37 5295 1782 10681 16 8 2447        The cute dog walks in the park
//     mask      0    1    1     0  0 1    0
//     source   37 32099 10681 16 32098 2447 1
//     target   32099 5295 1782 32098 8 32097 1
// With the last id noise too, the target is 32099 5295 1782 32098 8 2447 1 (closing: ... 2447 32097 1).
CorruptedText replace_spans(std::span<const int64_t> ids,
                            std::span<const uint8_t> mask,
                            const SentinelForm& form);

// ---- lengths ----

struct SpanLengths {
  int64_t raw = 0;     // ids of the text
  int64_t source = 0;  // kept ids, sentinels, eos
  int64_t target = 0;  // noise, sentinels, eos
  int64_t sentinels = 0;
};
SpanLengths span_lengths(int64_t raw, const SpanNoise& noise, const SentinelForm& form);

// The longest text whose source (joined: source and target together) has at most `limit` ids, for lengths that never
// fall when the text grows; raw = 0 when not even 2 ids fit.
SpanLengths longest_that_fits(int64_t limit,
                              bool joined,
                              const std::function<SpanLengths(int64_t raw)>& lengths_of);
// The same of spans that become sentinels. With density 0.5 the target must not be longer than the source either, as
// in T5.
SpanLengths solve_span_lengths(int64_t limit, bool joined, const SpanNoise& noise, const SentinelForm& form);

}  // namespace lmzoo
