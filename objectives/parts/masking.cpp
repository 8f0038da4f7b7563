#include "objectives/parts/masking.h"

#include <algorithm>
#include <limits>

#include "base/check.h"

namespace lmzoo {
namespace {

constexpr int64_t kLongestSpan = 3;  // of GPT-BERT

std::vector<int64_t> sizes_of(const Units& units) {
  std::vector<int64_t> sizes;
  sizes.reserve(units.ends.size());
  for (int64_t unit = 0; unit < units.count(); ++unit) {
    sizes.push_back(std::ssize(units.at(unit)));
  }
  return sizes;
}

std::vector<int64_t> at_positions(std::span<const int64_t> ids, std::span<const int64_t> positions) {
  std::vector<int64_t> there;
  there.reserve(positions.size());
  for (const int64_t position : positions) {
    there.push_back(ids[static_cast<size_t>(position)]);
  }
  return there;
}

void check_masking(const MaskingOptions& options, std::string_view user) {
  options.rate.check_legal();
  const MaskingDialect dialect = options.dialect;
  const std::string_view name = name_of(dialect);
  const bool takes_words =
      dialect == MaskingDialect::bert || dialect == MaskingDialect::hf || dialect == MaskingDialect::roberta;
  check(!options.whole_words || takes_words,
        "whole_words goes with the dialects bert, hf and roberta of {}, but dialect is {}",
        user,
        name);
  const bool counts = dialect == MaskingDialect::bert || dialect == MaskingDialect::electra ||
                      (dialect == MaskingDialect::hf && options.whole_words);
  check(
      counts || !options.max_predictions,
      "max_predictions belongs to the dialects bert and electra, and to hf with whole_words, but dialect is "
      "{}",
      name);
}

}  // namespace

Replacement required_replacement(const Vocabulary& vocabulary,
                                 double mask_share,
                                 double random_share,
                                 std::string_view user) {
  check(mask_share + random_share <= 1,
        "mask_share + random_share is {:g} but must be at most 1",
        mask_share + random_share);
  return {.mask = required_token(vocabulary.mask, "[MASK]", user),
          .vocabulary_size = vocabulary.size,
          .mask_share = mask_share,
          .random_share = random_share};
}

std::vector<int64_t> text_ids(const Vocabulary& vocabulary) {
  std::vector<int64_t> ids;
  for (int64_t id = 0; id < vocabulary.size; ++id) {
    if (!vocabulary.is_special(id) && id != vocabulary.unk) {
      ids.push_back(id);
    }
  }
  return ids;
}

int64_t rounded_by_chance(double n, double u) { return static_cast<int64_t>(n + u); }

int64_t at_least_one(int64_t length, double rate) {
  return std::max<int64_t>(1, round_half_even(static_cast<double>(length) * rate));
}

Masking::Masking(const MaskingOptions& options, const Vocabulary& vocabulary, std::string_view user)
    : options_(options) {
  const bool is_electra = options.dialect == MaskingDialect::electra;
  replacement_ = required_replacement(vocabulary,
                                      options.mask_share.value_or(is_electra ? 0.85 : 0.8),
                                      options.random_share.value_or(is_electra ? 0 : 0.1),
                                      user);
  check_masking(options, user);
  if (options.dialect == MaskingDialect::roberta || options.dialect == MaskingDialect::gpt_bert) {
    replacement_.pool = text_ids(vocabulary);
  }
  if (options.whole_words) {
    edges_ = required_edges(vocabulary, "whole_words");
  }
  mark_never_chosen(vocabulary);
}

void Masking::mark_never_chosen(const Vocabulary& vocabulary) {
  for (int64_t id = 0; id < vocabulary.size; ++id) {
    const bool frames = id == vocabulary.cls || id == vocabulary.sep;
    bool never = frames;
    switch (options_.dialect) {
      case MaskingDialect::bert:
        break;
      case MaskingDialect::hf:
      case MaskingDialect::gpt_bert:
        never = vocabulary.is_special(id);
        break;
      case MaskingDialect::roberta:
        never = false;
        break;
      case MaskingDialect::electra:
        never = frames || id == vocabulary.mask;
        break;
    }
    never_chosen_.push_back(never);
  }
}

MaskedText Masking::corrupt(std::vector<int64_t> ids,
                            const Frame& frame,
                            const TrainingPlace& place,
                            Stream& stream,
                            std::span<const double> weights) const {
  const double rate = rate_at(place);
  Chosen chosen = weights.empty() ? choose(ids, frame, rate, stream) : choose_by(weights, ids, rate, stream);
  if (repeats()) {
    return with_repeats(std::move(ids), chosen, stream);
  }
  const std::vector<int64_t> originals = at_positions(ids, chosen.positions);
  const std::vector<int64_t> replacements =
      chosen.sizes.empty() ? draw_replacements(originals, replacement_, stream)
                           : draw_replacements(originals, chosen.sizes, replacement_, stream);
  return replace_tokens(std::move(ids), std::move(chosen.positions), replacements);
}

double Masking::rate_at(const TrainingPlace& place) const {
  return place.evaluates ? options_.eval_rate.value_or(options_.rate.at(place)) : options_.rate.at(place);
}

// A token stays only if every draw of it keeps it.
MaskedText Masking::with_repeats(std::vector<int64_t> ids, const Chosen& chosen, Stream& stream) const {
  const std::vector<int64_t> originals = at_positions(ids, chosen.positions);
  const std::vector<int64_t> drawn = draw_replacements(originals, replacement_, stream);
  std::vector<int64_t> positions, replacements;
  std::vector<float> weights;
  for (size_t i = 0; i < drawn.size(); ++i) {
    if (positions.empty() || positions.back() != chosen.positions[i]) {
      positions.push_back(chosen.positions[i]);
      replacements.push_back(originals[i]);
      weights.push_back(0);
    }
    weights.back() += 1;
    if (drawn[i] != originals[i]) {
      replacements.back() = drawn[i];
    }
  }
  MaskedText masked = replace_tokens(std::move(ids), std::move(positions), replacements);
  masked.weights = std::move(weights);
  return masked;
}

std::vector<int64_t> Masking::candidates(std::span<const int64_t> ids) const {
  std::vector<int64_t> positions;
  for (int64_t i = 0; i < std::ssize(ids); ++i) {
    if (!never_chosen_.at(static_cast<size_t>(ids[i]))) {
      positions.push_back(i);
    }
  }
  return positions;
}

int64_t Masking::budget(int64_t length, double rate) const {
  constexpr int64_t kMostWholeWords = 512;  // DataCollatorForWholeWordMask
  const int64_t most =
      options_.dialect == MaskingDialect::hf ? kMostWholeWords : std::numeric_limits<int64_t>::max();
  return std::min(options_.max_predictions.value_or(most), at_least_one(length, rate));
}

Masking::Chosen Masking::choose(std::span<const int64_t> ids,
                                const Frame& frame,
                                double rate,
                                Stream& stream) const {
  if (options_.whole_words) {
    return choose_words(ids, rate, stream);
  }
  switch (options_.dialect) {
    case MaskingDialect::bert:
      return {choose_exactly(candidates(ids), budget(std::ssize(ids), rate), stream)};
    case MaskingDialect::hf:
      return {choose_each(candidates(ids), rate, stream)};
    case MaskingDialect::roberta: {
      const int64_t count = rounded_by_chance(rate * static_cast<double>(ids.size()), stream.uniform());
      return {choose_exactly(candidates(ids), count, stream)};
    }
    case MaskingDialect::electra:
      return {choose_with_replacement(candidates(ids), budget(std::ssize(ids), rate), stream)};
    case MaskingDialect::gpt_bert:
      break;
  }
  return choose_spans(ids, frame, rate, stream);
}

Masking::Chosen Masking::choose_by(std::span<const double> weights,
                                   std::span<const int64_t> ids,
                                   double rate,
                                   Stream& stream) const {
  const std::vector<int64_t> positions = candidates(ids);
  std::vector<double> own;
  own.reserve(positions.size());
  for (const int64_t position : positions) {
    own.push_back(weights[static_cast<size_t>(ids[position])]);
  }
  return {choose_weighted(positions, own, rate, stream)};
}

Units Masking::hidden_as_words(std::span<const int64_t> ids) const {
  const Units all = words_of(ids, *edges_);
  Units words;
  for (int64_t word = 0; word < all.count(); ++word) {
    if (!never_chosen_.at(static_cast<size_t>(ids[all.at(word).front()]))) {
      words.append(all.at(word));
    }
  }
  return words;
}

Masking::Chosen Masking::choose_words(std::span<const int64_t> ids, double rate, Stream& stream) const {
  const Units words = hidden_as_words(ids);
  const std::vector<int64_t> order = random_order(words.count(), stream);
  if (options_.dialect != MaskingDialect::roberta) {
    return {chosen_of(words, take_fitting(words, order, budget(std::ssize(ids), rate))).positions};
  }
  const int64_t count = rounded_by_chance(rate * static_cast<double>(words.count()), stream.uniform());
  std::vector<int64_t> taken{order.begin(), order.begin() + count};
  std::ranges::sort(taken);
  Units chosen = chosen_of(words, taken);
  return {std::move(chosen.positions), sizes_of(chosen)};
}

Masking::Chosen Masking::choose_spans(std::span<const int64_t> ids,
                                      const Frame& frame,
                                      double rate,
                                      Stream& stream) const {
  const int64_t end = std::ssize(ids) - frame.after;
  Units spans;
  std::vector<int64_t> span;
  for (int64_t begin = frame.before; begin < end;) {
    const int64_t next = std::min(end, begin + 1 + static_cast<int64_t>(stream.below(kLongestSpan)));
    span.clear();
    for (; begin < next; ++begin) {
      if (!never_chosen_.at(static_cast<size_t>(ids[begin]))) {
        span.push_back(begin);
      }
    }
    spans.append(span);
  }
  const double length = static_cast<double>(end - frame.before);
  const int64_t count = std::max<int64_t>(1, rounded_by_chance(rate * length, stream.uniform()));
  Units chosen = chosen_of(spans, take_until(spans, random_order(spans.count(), stream), count));
  return {std::move(chosen.positions), sizes_of(chosen)};
}

}  // namespace lmzoo
