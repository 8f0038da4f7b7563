#include "objectives/parts/denoiser.h"

#include <algorithm>
#include <stdexcept>

namespace lmzoo {
namespace {

// The share of BERT-style noise that becomes a random id instead of the mask (T5, section 3.3.1).
constexpr double kRandomShare = 0.1;

std::vector<int64_t> positions_of_noise(std::span<const uint8_t> mask) {
  std::vector<int64_t> positions;
  for (int64_t i = 0; i < std::ssize(mask); ++i) {
    if (mask[static_cast<size_t>(i)] != 0) {
      positions.push_back(i);
    }
  }
  return positions;
}

std::vector<int64_t> hidden_tokens(std::span<const int64_t> ids,
                                   std::span<const uint8_t> mask,
                                   const Replacement& replacement,
                                   Stream& stream) {
  std::vector<int64_t> positions = positions_of_noise(mask);
  std::vector<int64_t> originals;
  for (const int64_t position : positions) {
    originals.push_back(ids[static_cast<size_t>(position)]);
  }
  const std::vector<int64_t> drawn = draw_replacements(originals, replacement, stream);
  return replace_tokens({ids.begin(), ids.end()}, std::move(positions), drawn).ids;
}

}  // namespace

CorruptedText drop_tokens(std::span<const int64_t> ids, std::span<const uint8_t> mask, int64_t eos) {
  if (ids.size() != mask.size()) {
    throw std::logic_error("drop_tokens: every id needs a mask");
  }
  CorruptedText pair;
  for (size_t i = 0; i < ids.size(); ++i) {
    (mask[i] == 0 ? pair.source : pair.target).push_back(ids[i]);
  }
  pair.source.push_back(eos);
  pair.target.push_back(eos);
  return pair;
}

CorruptedText restore(std::vector<int64_t> corrupted, std::span<const int64_t> original, int64_t eos) {
  CorruptedText pair{.source = std::move(corrupted), .target = {original.begin(), original.end()}};
  pair.source.push_back(eos);
  pair.target.push_back(eos);
  return pair;
}

CorruptedText cut_in_two(std::span<const int64_t> ids, int64_t read, int64_t eos) {
  const auto beginning = ids.first(static_cast<size_t>(read));
  return restore({beginning.begin(), beginning.end()}, ids.subspan(static_cast<size_t>(read)), eos);
}

SpanLengths Denoiser::lengths(int64_t raw) const {
  const SpanCounts counts = span_counts(raw, noise);
  switch (corruption) {
    case Corruption::replace_spans: {
      if (places == NoisePlaces::spans || counts.spans == 0) {
        return span_lengths(raw, noise, form);
      }
      // Most runs there are when no two noise ids stand together; one more sentinel may close the target.
      const int64_t runs = std::min(counts.noise, raw - counts.noise + 1);
      return {.raw = raw,
              .source = raw - counts.noise + runs + 1,
              .target = counts.noise + runs + 2,
              .sentinels = runs + 1};
    }
    case Corruption::drop_tokens:
      return {.raw = raw, .source = raw - counts.noise + 1, .target = counts.noise + 1};
    case Corruption::mass:
    case Corruption::bert:
      return {.raw = raw, .source = raw + 1, .target = raw + 1, .sentinels = 1};
    case Corruption::deshuffling:
      return {.raw = raw, .source = raw + 1, .target = raw + 1};
  }
  throw std::logic_error("Denoiser: unknown corruption");
}

SpanLengths Denoiser::solve(int64_t limit, bool joined) const {
  if (corruption == Corruption::replace_spans && places == NoisePlaces::spans) {
    return solve_span_lengths(limit, joined, noise, form);
  }
  return longest_that_fits(limit, joined, [this](int64_t raw) { return lengths(raw); });
}

CorruptedText Denoiser::corrupt(std::span<const int64_t> ids, Stream& stream) const {
  if (corruption == Corruption::deshuffling) {
    std::vector<int64_t> shuffled(ids.begin(), ids.end());
    stream.shuffle(std::span(shuffled));
    return restore(std::move(shuffled), ids, form.eos);
  }
  const auto draw_mask = places == NoisePlaces::spans ? span_mask : token_mask;
  const std::vector<uint8_t> mask = draw_mask(std::ssize(ids), noise, stream);
  switch (corruption) {
    case Corruption::replace_spans:
      return replace_spans(ids, mask, form);
    case Corruption::drop_tokens:
      return drop_tokens(ids, mask, form.eos);
    default:
      return restore(hidden_tokens(ids, mask, replacement(), stream), ids, form.eos);
  }
}

Replacement Denoiser::replacement() const {
  const double random_share = corruption == Corruption::bert ? kRandomShare : 0;
  return {.mask = form.sentinels.at(0),
          .vocabulary_size = vocabulary_size,
          .mask_share = 1 - random_share,
          .random_share = random_share};
}

}  // namespace lmzoo
