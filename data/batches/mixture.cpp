#include "data/batches/mixture.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "base/rng.h"

namespace lmzoo {
namespace {

// Whole numbers of places that add up to `all`: shares rounded down, and what is left to the largest remainders.
std::vector<int64_t> places_of(const std::vector<MixedText>& texts, int64_t all) {
  double shares = 0;
  for (const MixedText& text : texts) {
    shares += text.share;
  }
  std::vector<int64_t> places;
  std::vector<std::pair<double, size_t>> remainders;
  int64_t left = all;
  for (const MixedText& text : texts) {
    const double exact = static_cast<double>(all) * text.share / shares;
    places.push_back(static_cast<int64_t>(std::floor(exact)));
    remainders.emplace_back(-(exact - std::floor(exact)), places.size() - 1);
    left -= places.back();
  }
  std::ranges::sort(remainders);
  for (int64_t i = 0; i < left; ++i) {
    ++places[remainders[static_cast<size_t>(i) % remainders.size()].second];
  }
  return places;
}

}  // namespace

MixedWindows::MixedWindows(Windows only, int64_t corpus) : first_corpus_(corpus) {
  starts_.push_back(only.size());
  texts_.push_back({.name = "train", .windows = std::move(only)});
}

MixedWindows::MixedWindows(std::vector<MixedText> texts, uint64_t seed)
    : texts_(std::move(texts)), seed_(seed) {
  int64_t all = 0;
  for (const MixedText& text : texts_) {
    check(text.windows.size() > 0,
          "{} has no window: {} holds no usable document",
          text.name,
          text.windows.store().path());
    all += text.windows.size();
  }
  for (const int64_t places : places_of(texts_, all)) {
    check(places > 0,
          "{} would have none of the {} windows of an epoch; give it a larger share",
          texts_[starts_.size() - 1].name,
          all);
    starts_.push_back(starts_.back() + places);
  }
}

int64_t MixedWindows::text_at(int64_t place) const {
  return std::ranges::upper_bound(starts_, place) - starts_.begin() - 1;
}

template <class Whole>
double MixedWindows::of_epoch(const Whole& whole) const {
  double sum = 0;
  for (size_t i = 0; i < texts_.size(); ++i) {
    const Windows& text = texts_[i].windows;
    const double passes = static_cast<double>(places(static_cast<int64_t>(i))) /
                          static_cast<double>(std::max<int64_t>(text.size(), 1));
    sum += passes * static_cast<double>(whole(text.store()));
  }
  return sum;
}

double MixedWindows::epoch_tokens() const {
  return of_epoch([](const TokenStore& store) { return store.tokens(); });
}

double MixedWindows::epoch_words() const {
  return of_epoch([](const TokenStore& store) { return store.notes().words; });
}

std::vector<Sample> MixedWindows::window(uint64_t epoch, int64_t place) const {
  const int64_t text = text_at(place);
  const Windows& windows = texts_[static_cast<size_t>(text)].windows;
  int64_t index = place;
  if (texts_.size() > 1) {
    const auto size = static_cast<uint64_t>(windows.size());
    const uint64_t drawn =
        epoch * static_cast<uint64_t>(places(text)) + static_cast<uint64_t>(place - starts_[text]);
    // One text's passes are ordered by the loader; those of several need orders that differ from each other's.
    const uint64_t own = seed_of({seed_, static_cast<uint64_t>(text), 0, Purpose::order});
    const Permutation order(size, {own, drawn / size, 1, Purpose::order});
    index = static_cast<int64_t>(order(drawn % size));
  }
  std::vector<Sample> samples = windows.window(index);
  for (Sample& sample : samples) {
    sample.corpus = first_corpus_ + text;
  }
  return samples;
}

}  // namespace lmzoo
