// What an example shows of a text of which tokens were hidden, and what can be promised of what stands in their place.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "core/promise.h"
#include "objectives/parts/noise.h"

namespace lmzoo {

inline constexpr int64_t kUnseen = -1;

struct MaskedView {
  std::vector<int64_t> original;   // [n]
  std::vector<int64_t> shown;      // [n] what the model reads there; kUnseen where it does not read
  std::vector<int64_t> positions;  // [k] chosen, ascending
  std::vector<int64_t> labels;     // [k]
  std::vector<float> weights{};    // [k]; empty: 1 each

  bool chosen_once(size_t i) const { return weights.empty() || weights[i] == 1; }
  // Whether nothing is chosen right before.
  bool begins_run(size_t i) const { return i == 0 || positions[i - 1] + 1 != positions[i]; }
};
// Absent: nothing is hidden in this example.
using MaskedViewOf = std::function<std::optional<MaskedView>(const SeenExample&)>;

// Of an example whose first sequence and first target are the masked text and its labels.
MaskedView view_of_masked(std::vector<int64_t> original, const Example& example);

// What 80/10/10 is drawn for: every token, or several together. Of the latter the first of a run tells: it begins one,
// and independent of all others.
enum class Fate { of_each, of_several };

// 80/10/10, that random ids are even in their pool, that labels are the tokens that stood there and that nothing else is
// touched. All promises begin with a view; a null one does not count.
std::vector<Promise> replacement_promises(const Replacement& replacement,
                                          Fate fate,
                                          const MaskedViewOf& view);

// A promise of what a view shows.
template <class Kind>
Promise promise_of_view(std::string name,
                        Kind evidence,
                        const MaskedViewOf& view,
                        std::function<void(const SeenExample&, const MaskedView&, Kind&)> count) {
  return promise<Kind>(std::move(name),
                       std::move(evidence),
                       [view, count = std::move(count)](const SeenExample& seen, Kind& counted) {
                         if (const std::optional<MaskedView> masked = view(seen)) {
                           count(seen, *masked, counted);
                         }
                       });
}

}  // namespace lmzoo
