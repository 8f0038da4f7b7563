#include "objectives/parts/masked_view.h"

#include <algorithm>

namespace lmzoo {
namespace {

// The ids that a random one is of.
class Pool {
 public:
  explicit Pool(const Replacement& replacement)
      : ids_(replacement.pool), size_(ids_.empty() ? replacement.vocabulary_size : std::ssize(ids_)) {}

  int64_t size() const { return size_; }
  bool has(int64_t id) const { return ids_.empty() ? id < size_ : std::ranges::binary_search(ids_, id); }
  int64_t below(int64_t id) const {  // so many are smaller
    return ids_.empty() ? id : std::ranges::lower_bound(ids_, id) - ids_.begin();
  }
  double chance(int64_t id) const { return has(id) ? 1 / static_cast<double>(size_) : 0; }

 private:
  std::vector<int64_t> ids_;  // ascending
  int64_t size_;
};

// The tokens whose fate can be told: drawn for once, read by the model, and not [MASK] before.
template <class Take>
void each_fate(const MaskedView& view, Fate fate, int64_t mask, const Take& take) {
  for (size_t i = 0; i < view.positions.size(); ++i) {
    const auto at = static_cast<size_t>(view.positions[i]);
    const bool counts = fate == Fate::of_each ? view.chosen_once(i) : view.begins_run(i);
    if (counts && view.shown[at] != kUnseen && view.original[at] != mask) {
      take(view.original[at], view.shown[at]);
    }
  }
}

bool is_untouched(const MaskedView& view) {
  size_t next = 0;
  for (size_t i = 0; i < view.original.size(); ++i) {
    if (next < view.positions.size() && view.positions[next] == static_cast<int64_t>(i)) {
      if (view.labels[next++] != view.original[i]) {
        return false;
      }
    } else if (view.shown[i] != kUnseen && view.shown[i] != view.original[i]) {
      return false;
    }
  }
  return next == view.positions.size();
}

}  // namespace

MaskedView view_of_masked(std::vector<int64_t> original, const Example& example) {
  const Target& target = example.targets.front();
  return {.original = std::move(original),
          .shown = example.sequences.front().ids,
          .positions = target.at,
          .labels = target.labels,
          .weights = target.weights};
}

std::vector<Promise> replacement_promises(const Replacement& replacement,
                                          Fate fate,
                                          const MaskedViewOf& view) {
  using View = const MaskedView&;
  const Pool pool(replacement);
  const int64_t mask = replacement.mask;
  const double masks = replacement.mask_share;
  const double random = replacement.random_share;
  const std::string of = fate == Fate::of_each ? "predicted tokens" : "predicted units";
  std::vector<Promise> promises;
  promises.push_back(promise_of_view<Always>(
      "labels are what stood there, all else is as it was",
      {},
      view,
      [](const SeenExample&, View text, Always& cases) { cases.add(is_untouched(text)); }));
  promises.push_back(promise_of_view<Mean>(
      of + " that became [MASK]", {}, view, [=](const SeenExample&, View text, Mean& share) {
        each_fate(text, fate, mask, [&](int64_t, int64_t shown) {
          share.add_case(shown == mask, masks + random * pool.chance(mask));
        });
      }));
  promises.push_back(promise_of_view<Mean>(
      of + " that kept their token", {}, view, [=](const SeenExample&, View text, Mean& share) {
        each_fate(text, fate, mask, [&](int64_t original, int64_t shown) {
          share.add_case(shown == original,
                         std::max(0.0, 1 - masks - random) + random * pool.chance(original));
        });
      }));
  if (random == 0) {
    return promises;
  }
  promises.push_back(promise_of_view<Mean>(
      of + " that became another token", {}, view, [=](const SeenExample&, View text, Mean& share) {
        each_fate(text, fate, mask, [&](int64_t original, int64_t shown) {
          share.add_case(shown != original && shown != mask,
                         random * (1 - pool.chance(original) - pool.chance(mask)));
        });
      }));
  promises.push_back(promise_of_view<Evenly>(
      "other tokens among all that they may be", {}, view, [=](const SeenExample&, View text, Evenly& even) {
        each_fate(text, fate, mask, [&](int64_t original, int64_t shown) {
          if (shown == original || shown == mask) {
            return;
          }
          int64_t number = pool.below(shown);
          int64_t count = pool.size();
          for (const int64_t never : {original, mask}) {
            number -= pool.has(never) && never < shown ? 1 : 0;
            count -= pool.has(never) ? 1 : 0;
          }
          even.add_of(number, count);
        });
      }));
  return promises;
}

}  // namespace lmzoo
