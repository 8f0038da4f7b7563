#include "objectives/parts/noise.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>
#include <utility>

namespace lmzoo {

// The rounding mode of a process is to-nearest-even unless somebody changes it.
int64_t round_half_even(double x) { return static_cast<int64_t>(std::nearbyint(x)); }

std::vector<int64_t> choose_exactly(std::span<const int64_t> candidates, int64_t count, Stream& stream) {
  // Selection sampling (Knuth, TAOCP 2, algorithm S): one pass, keeps the order.
  std::vector<int64_t> chosen;
  auto wanted = static_cast<uint64_t>(std::clamp<int64_t>(count, 0, std::ssize(candidates)));
  chosen.reserve(wanted);
  for (size_t i = 0; wanted > 0; ++i) {
    if (stream.below(candidates.size() - i) < wanted) {
      chosen.push_back(candidates[i]);
      --wanted;
    }
  }
  return chosen;
}

std::vector<int64_t> choose_each(std::span<const int64_t> candidates, double rate, Stream& stream) {
  std::vector<int64_t> chosen;
  for (const int64_t candidate : candidates) {
    if (stream.uniform() < rate) {
      chosen.push_back(candidate);
    }
  }
  return chosen;
}

std::vector<int64_t> choose_weighted(std::span<const int64_t> candidates,
                                     std::span<const double> weights,
                                     double rate,
                                     Stream& stream) {
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  const double scale = rate * static_cast<double>(candidates.size()) / sum;
  std::vector<int64_t> chosen;
  for (size_t i = 0; i < candidates.size(); ++i) {
    if (stream.uniform() < scale * weights[i]) {
      chosen.push_back(candidates[i]);
    }
  }
  return chosen;
}

std::vector<int64_t> choose_with_replacement(std::span<const int64_t> candidates,
                                             int64_t count,
                                             Stream& stream) {
  std::vector<int64_t> chosen;
  for (int64_t i = 0; i < count && !candidates.empty(); ++i) {
    chosen.push_back(candidates[stream.below(candidates.size())]);
  }
  std::ranges::sort(chosen);
  return chosen;
}

namespace {

int64_t random_id(const Replacement& replacement, Stream& stream) {
  return replacement.pool.empty() ? static_cast<int64_t>(stream.below(replacement.vocabulary_size))
                                  : replacement.pool[stream.below(replacement.pool.size())];
}

}  // namespace

std::vector<int64_t> draw_replacements(std::span<const int64_t> originals,
                                       const Replacement& replacement,
                                       Stream& stream) {
  const std::vector<int64_t> ones(originals.size(), 1);
  return draw_replacements(originals, ones, replacement, stream);
}

std::vector<int64_t> draw_replacements(std::span<const int64_t> originals,
                                       std::span<const int64_t> sizes,
                                       const Replacement& replacement,
                                       Stream& stream) {
  std::vector<int64_t> drawn{originals.begin(), originals.end()};
  auto at = drawn.begin();
  for (const int64_t size : sizes) {
    const double u = stream.uniform();
    const auto end = at + size;
    if (u < replacement.mask_share) {
      std::fill(at, end, replacement.mask);
    } else if (u < replacement.mask_share + replacement.random_share) {
      std::generate(at, end, [&] { return random_id(replacement, stream); });
    }
    at = end;
  }
  return drawn;
}

MaskedText replace_tokens(std::vector<int64_t> ids,
                          std::vector<int64_t> positions,
                          std::span<const int64_t> replacements) {
  if (positions.size() != replacements.size()) {
    throw std::logic_error("replace_tokens: every position needs a replacement");
  }
  std::vector<int64_t> labels;
  labels.reserve(positions.size());
  for (size_t i = 0; i < positions.size(); ++i) {
    labels.push_back(std::exchange(ids.at(positions[i]), replacements[i]));
  }
  return {.ids = std::move(ids), .positions = std::move(positions), .labels = std::move(labels)};
}

std::vector<int64_t> framed_text(int64_t cls, std::span<const int64_t> ids, int64_t sep) {
  std::vector<int64_t> framed{cls};
  framed.insert(framed.end(), ids.begin(), ids.end());
  framed.push_back(sep);
  return framed;
}

void Units::append(std::span<const int64_t> unit) {
  if (!unit.empty()) {
    positions.insert(positions.end(), unit.begin(), unit.end());
    ends.push_back(std::ssize(positions));
  }
}

Units chosen_of(const Units& units, std::span<const int64_t> ascending) {
  Units chosen;
  for (const int64_t unit : ascending) {
    chosen.append(units.at(unit));
  }
  return chosen;
}

std::vector<int64_t> random_order(int64_t count, Stream& stream) {
  std::vector<int64_t> order(static_cast<size_t>(count));
  std::iota(order.begin(), order.end(), 0);
  stream.shuffle(std::span(order));
  return order;
}

std::vector<int64_t> take_fitting(const Units& units, std::span<const int64_t> order, int64_t budget) {
  std::vector<int64_t> taken;
  int64_t left = budget;
  for (const int64_t unit : order) {
    const int64_t size = std::ssize(units.at(unit));
    if (size <= left) {
      taken.push_back(unit);
      left -= size;
    }
  }
  std::ranges::sort(taken);
  return taken;
}

std::vector<int64_t> take_until(const Units& units, std::span<const int64_t> order, int64_t count) {
  std::vector<int64_t> taken;
  for (int64_t left = count; const int64_t unit : order) {
    if (left <= 0) {
      break;
    }
    taken.push_back(unit);
    left -= std::ssize(units.at(unit));
  }
  std::ranges::sort(taken);
  return taken;
}

namespace {

template <class Real>
SpanCounts counted(int64_t length, const SpanNoise& noise) {
  const Real wanted = static_cast<Real>(length) * static_cast<Real>(noise.density);
  const auto noise_ids = std::clamp<int64_t>(round_half_even(wanted), 1, length - 1);
  const int64_t in_spans =
      noise.rule == CountRule::t5_hf ? std::min(noise_ids, length - noise_ids) : noise_ids;
  const Real spans = static_cast<Real>(in_spans) / static_cast<Real>(noise.mean_length);
  // Each span needs an id of its own and a kept one before it; this binds only at high densities.
  return {.noise = noise_ids,
          .spans = std::min({std::max<int64_t>(round_half_even(spans), 1), noise_ids, length - noise_ids})};
}

}  // namespace

SpanCounts span_counts(int64_t length, const SpanNoise& noise) {
  if (length < 2) {
    return {};
  }
  return noise.rule == CountRule::t5_google ? counted<float>(length, noise) : counted<double>(length, noise);
}

std::vector<int64_t> random_partition(int64_t total, int64_t parts, Stream& stream) {
  if (parts < 1 || parts > total) {
    throw std::logic_error("random_partition: every part needs at least one");
  }
  // A part begins at slot 0 and at `parts - 1` of the other slots.
  std::vector<uint8_t> begins(total - 1, 0);
  std::fill_n(begins.begin(), parts - 1, uint8_t{1});
  stream.shuffle(std::span(begins));
  std::vector<int64_t> sizes{1};
  for (const uint8_t begin : begins) {
    if (begin != 0) {
      sizes.push_back(0);
    }
    ++sizes.back();
  }
  return sizes;
}

std::vector<uint8_t> span_mask(int64_t length, const SpanNoise& noise, Stream& stream) {
  std::vector<uint8_t> mask;
  const SpanCounts counts = span_counts(length, noise);
  if (counts.spans == 0) {
    mask.assign(length, 0);
    return mask;
  }
  const std::vector<int64_t> noisy = random_partition(counts.noise, counts.spans, stream);
  const std::vector<int64_t> kept = random_partition(length - counts.noise, counts.spans, stream);
  mask.reserve(length);
  for (int64_t i = 0; i < counts.spans; ++i) {
    mask.insert(mask.end(), kept[i], 0);
    mask.insert(mask.end(), noisy[i], 1);
  }
  return mask;
}

std::vector<uint8_t> token_mask(int64_t length, const SpanNoise& noise, Stream& stream) {
  std::vector<int64_t> places(static_cast<size_t>(length));
  std::iota(places.begin(), places.end(), 0);
  std::vector<uint8_t> mask(places.size(), 0);
  for (const int64_t place : choose_exactly(places, span_counts(length, noise).noise, stream)) {
    mask[static_cast<size_t>(place)] = 1;
  }
  return mask;
}

CorruptedText replace_spans(std::span<const int64_t> ids,
                            std::span<const uint8_t> mask,
                            const SentinelForm& form) {
  if (ids.size() != mask.size()) {
    throw std::logic_error("replace_spans: every id needs a mask");
  }
  CorruptedText pair;
  size_t spans = 0;
  const auto add_sentinel_to_target = [&] {
    if (!form.label_sentinels) {
      pair.unlabeled.push_back(std::ssize(pair.target));
    }
    pair.target.push_back(form.sentinels.at(spans));
  };
  for (size_t i = 0; i < ids.size(); ++i) {
    if (mask[i] == 0) {
      pair.source.push_back(ids[i]);
      continue;
    }
    if (i == 0 || mask[i - 1] == 0) {
      pair.source.push_back(form.sentinels.at(spans));
      add_sentinel_to_target();
      ++spans;
    }
    pair.target.push_back(ids[i]);
  }
  if (form.closing || mask.empty() || mask.back() == 0) {
    add_sentinel_to_target();
  }
  pair.source.push_back(form.eos);
  pair.target.push_back(form.eos);
  return pair;
}

SpanLengths span_lengths(int64_t raw, const SpanNoise& noise, const SentinelForm& form) {
  const SpanCounts counts = span_counts(raw, noise);
  const int64_t sentinels = form.needed(counts);
  return {.raw = raw,
          .source = raw - counts.noise + counts.spans + 1,
          .target = counts.noise + sentinels + 1,
          .sentinels = sentinels};
}

SpanLengths longest_that_fits(int64_t limit,
                              bool joined,
                              const std::function<SpanLengths(int64_t raw)>& lengths_of) {
  const auto fits = [&](int64_t raw) {
    const SpanLengths lengths = lengths_of(raw);
    return (joined ? lengths.source + lengths.target : lengths.source) <= limit;
  };
  if (!fits(2)) {
    return {};
  }
  // Lengths never fall when the text grows, so the border is found by doubling and halving.
  int64_t low = 2;
  int64_t high = 4;
  while (fits(high)) {
    low = high;
    high *= 2;
  }
  while (high - low > 1) {
    const int64_t middle = low + (high - low) / 2;
    (fits(middle) ? low : high) = middle;
  }
  return lengths_of(low);
}

SpanLengths solve_span_lengths(int64_t limit, bool joined, const SpanNoise& noise, const SentinelForm& form) {
  const auto lengths_of = [&](int64_t raw) { return span_lengths(raw, noise, form); };
  const SpanLengths longest = longest_that_fits(limit, joined, lengths_of);
  if (!joined && noise.density == 0.5 && longest.target > longest.source && longest.raw > 2) {
    return lengths_of(longest.raw - 1);
  }
  return longest;
}

}  // namespace lmzoo
