// A text to a source and a target, in the ways that the T5 paper compares (Raffel et al., 2019, sections 3.3.1 and
// 3.3.2, tables 3, 4 and 5). Span corruption is one of them, UL2 a mixture of several. With T5's ids, eos = 1 and the
// first sentinel 32099:
//
//   ids            37 5295 1782 10681 16 8 2447               mask 0 1 1 0 0 1 0
//   replace_spans  37 32099 10681 16 32098 2447 1             32099 5295 1782 32098 8 32097 1
//   drop_tokens    37 10681 16 2447 1                         5295 1782 8 1
//   mass           37 32099 32099 10681 16 32099 2447 1       37 5295 1782 10681 16 8 2447 1
//   bert           37 32099 901 10681 16 32099 2447 1         37 5295 1782 10681 16 8 2447 1
//   deshuffling    16 2447 5295 37 8 1782 10681 1             37 5295 1782 10681 16 8 2447 1
//
// mass and bert hide each noise id behind the first sentinel; bert puts a random id there for a tenth of them.
// deshuffling has no noise, only another order of all ids.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "base/fields.h"
#include "objectives/parts/noise.h"

namespace lmzoo {

enum class Corruption { replace_spans, drop_tokens, mass, bert, deshuffling };
template <>
struct EnumNames<Corruption> {
  static constexpr std::pair<Corruption, std::string_view> values[] = {
      {Corruption::replace_spans, "replace_spans"},
      {Corruption::drop_tokens, "drop_tokens"},
      {Corruption::mass, "mass"},
      {Corruption::bert, "bert"},
      {Corruption::deshuffling, "deshuffling"}};
};

// Which ids are noise; of a text always as many as span_counts() says, so that lengths can be solved. (T5 draws single
// tokens each on its own: as many on average.)
enum class NoisePlaces { spans, tokens };
template <>
struct EnumNames<NoisePlaces> {
  static constexpr std::pair<NoisePlaces, std::string_view> values[] = {{NoisePlaces::spans, "spans"},
                                                                        {NoisePlaces::tokens, "tokens"}};
};

struct Denoiser {
  Corruption corruption = Corruption::replace_spans;
  NoisePlaces places = NoisePlaces::spans;
  SpanNoise noise{};
  SentinelForm form{};
  int64_t vocabulary_size = 0;  // bert: random ids are any of these

  // Of a text with so many ids. The most that it can be where that is up to chance: single tokens may stand together.
  SpanLengths lengths(int64_t raw) const;
  // The longest text that fits, as longest_that_fits() has it.
  SpanLengths solve(int64_t limit, bool joined) const;
  CorruptedText corrupt(std::span<const int64_t> ids, Stream& stream) const;
  Replacement replacement() const;  // of mass and bert
};

// The halves that draw nothing.
CorruptedText drop_tokens(std::span<const int64_t> ids, std::span<const uint8_t> mask, int64_t eos);
// The source is `corrupted`, the target the whole text.
CorruptedText restore(std::vector<int64_t> corrupted, std::span<const int64_t> original, int64_t eos);
// The source is the first `read` ids, the target the others.
CorruptedText cut_in_two(std::span<const int64_t> ids, int64_t read, int64_t eos);

}  // namespace lmzoo
