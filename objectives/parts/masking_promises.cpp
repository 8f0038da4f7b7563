// What the dialects of objectives/parts/masking.h promise.
#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "objectives/parts/masking.h"

namespace lmzoo {
namespace {

// Different ones of `draws` among n with replacement: the occupied cells of the occupancy problem.
void add_different(Mean& mean, int64_t seen, int64_t candidates, int64_t draws) {
  const auto n = static_cast<double>(candidates);
  const double one_empty = std::pow(1 - 1 / n, static_cast<double>(draws));
  const double two_empty = std::pow(1 - 2 / n, static_cast<double>(draws));
  const double variance = n * (n - 1) * two_empty + n * one_empty - n * n * one_empty * one_empty;
  // Of one draw or one candidate it is what rounding leaves.
  mean.add(
      static_cast<double>(seen), n * (1 - one_empty), draws == 1 || candidates == 1 ? 0 : variance, draws);
}

// int(n·p + U) of n.
void add_rounded(Mean& mean, int64_t seen, int64_t n, double rate) {
  const double wanted = rate * static_cast<double>(n);
  const double up = wanted - std::floor(wanted);
  mean.add(static_cast<double>(seen), wanted, up * (1 - up), n);
}

bool is_chosen(const MaskedView& text, int64_t position) {
  return std::ranges::binary_search(text.positions, position);
}

int64_t total_weight(const MaskedView& text) {
  return text.weights.empty() ? std::ssize(text.positions)
                              : std::llround(std::accumulate(text.weights.begin(), text.weights.end(), 0.0));
}

}  // namespace

std::vector<Promise> Masking::promises(const MaskedViewOf& view) const {
  const bool together = options_.dialect == MaskingDialect::gpt_bert ||
                        (options_.dialect == MaskingDialect::roberta && options_.whole_words);
  std::vector<Promise> all =
      replacement_promises(replacement_, together ? Fate::of_several : Fate::of_each, view);
  const auto add = [&](std::vector<Promise> more) { std::ranges::move(more, std::back_inserter(all)); };
  add({promise_of_view<Always>("tokens that may not be predicted are not",
                               {},
                               view,
                               [self = *this](const SeenExample&, const MaskedView& text, Always& cases) {
                                 cases.add(std::ranges::all_of(text.positions, [&](int64_t position) {
                                   return !self.never_chosen_.at(
                                       static_cast<size_t>(text.original[position]));
                                 }));
                               })});
  add(options_.whole_words ? word_promises(view) : token_promises(view));
  return all;
}

std::vector<Promise> Masking::token_promises(const MaskedViewOf& view) const {
  using View = const MaskedView&;
  std::vector<Promise> all;
  if (options_.dialect == MaskingDialect::gpt_bert) {
    all.push_back(promise_of_view<Always>(
        "as many as wanted, and at most 2 more to end a span",
        {},
        view,
        [self = *this](const SeenExample& seen, View text, Always& cases) {
          const double wanted = self.rate_at(seen.place) * static_cast<double>(seen.sample.ids.size());
          const auto most = std::ssize(self.candidates(text.original));
          const auto least = std::min(std::max<int64_t>(1, static_cast<int64_t>(wanted)), most);
          const auto count = std::ssize(text.positions);
          cases.add(count >= least &&
                    count <= std::max<int64_t>(1, static_cast<int64_t>(std::ceil(wanted))) + 2);
        }));
  } else {
    all.push_back(promise_of_view<Mean>("tokens that are predicted",
                                        {},
                                        view,
                                        [self = *this](const SeenExample& seen, View text, Mean& share) {
                                          self.count_tokens(text, self.rate_at(seen.place), share);
                                        }));
  }
  if (repeats()) {
    all.push_back(promise_of_view<Mean>("different ones among the draws",
                                        {},
                                        view,
                                        [self = *this](const SeenExample&, View text, Mean& mean) {
                                          add_different(mean,
                                                        std::ssize(text.positions),
                                                        std::ssize(self.candidates(text.original)),
                                                        total_weight(text));
                                        }));
  }
  // Of gpt-bert, whose spans make neighbors alike, one of a text: that the last span is cut shows in none of the bins.
  const bool one = options_.dialect == MaskingDialect::gpt_bert;
  all.push_back(promise_of_view<Evenly>(
      "predicted tokens among the places of a text",
      {},
      view,
      [self = *this, one](const SeenExample&, View text, Evenly& even) {
        const std::vector<int64_t> candidates = self.candidates(text.original);
        const auto picked = one && !text.positions.empty() ? even.pick(std::ssize(text.positions)) : 0;
        for (size_t i = 0; i < text.positions.size(); ++i) {
          if (!one || static_cast<int64_t>(i) == picked) {
            even.add_of(std::ranges::lower_bound(candidates, text.positions[i]) - candidates.begin(),
                        std::ssize(candidates));
          }
        }
      }));
  return all;
}

void Masking::count_tokens(const MaskedView& text, double rate, Mean& share) const {
  const auto length = std::ssize(text.original);
  const auto may_be = std::ssize(candidates(text.original));
  const auto count = total_weight(text);
  if (options_.dialect == MaskingDialect::hf) {
    share.add_count(count, may_be, rate);
  } else if (options_.dialect == MaskingDialect::roberta) {
    add_rounded(share, count, length, rate);
  } else {
    const int64_t wanted = budget(length, rate);
    const int64_t promised = may_be == 0 ? 0 : repeats() ? wanted : std::min(wanted, may_be);
    share.add(static_cast<double>(count), static_cast<double>(promised), 0, length);
  }
}

std::vector<Promise> Masking::word_promises(const MaskedViewOf& view) const {
  using View = const MaskedView&;
  std::vector<Promise> all;
  all.push_back(promise_of_view<Always>(
      "no word is cut", {}, view, [self = *this](const SeenExample&, View text, Always& cases) {
        const Units words = self.hidden_as_words(text.original);
        for (int64_t word = 0; word < words.count(); ++word) {
          const auto pieces = words.at(word);
          const auto hidden = std::ranges::count_if(pieces, [&](int64_t at) { return is_chosen(text, at); });
          cases.add(hidden == 0 || hidden == std::ssize(pieces));
        }
      }));
  if (options_.dialect == MaskingDialect::roberta) {
    all.push_back(promise_of_view<Mean>("words that are predicted",
                                        {},
                                        view,
                                        [self = *this](const SeenExample& seen, View text, Mean& share) {
                                          const Units words = self.hidden_as_words(text.original);
                                          int64_t count = 0;
                                          for (int64_t word = 0; word < words.count(); ++word) {
                                            count += is_chosen(text, words.at(word).front()) ? 1 : 0;
                                          }
                                          add_rounded(share, count, words.count(), self.rate_at(seen.place));
                                        }));
  } else {
    all.push_back(
        promise_of_view<Always>("never more tokens than promised",
                                {},
                                view,
                                [self = *this](const SeenExample& seen, View text, Always& cases) {
                                  cases.add(std::ssize(text.positions) <=
                                            self.budget(std::ssize(text.original), self.rate_at(seen.place)));
                                }));
  }
  // A long word may find no room where a short one does, but words of a length are all alike.
  all.push_back(
      promise_of_view<Evenly>("predicted words among those of their length",
                              {},
                              view,
                              [self = *this](const SeenExample&, View text, Evenly& even) {
                                const Units words = self.hidden_as_words(text.original);
                                std::map<int64_t, std::vector<int64_t>> of_length;  // their first positions
                                for (int64_t word = 0; word < words.count(); ++word) {
                                  of_length[std::ssize(words.at(word))].push_back(words.at(word).front());
                                }
                                for (const auto& [length, firsts] : of_length) {
                                  for (int64_t i = 0; i < std::ssize(firsts); ++i) {
                                    if (is_chosen(text, firsts[static_cast<size_t>(i)])) {
                                      even.add_of(i, std::ssize(firsts));
                                    }
                                  }
                                }
                              }));
  return all;
}

}  // namespace lmzoo
