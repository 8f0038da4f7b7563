#include "core/example.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace lmzoo {

Example in_place(std::vector<int64_t> ids, std::vector<int64_t> at, std::vector<int64_t> labels) {
  return {.layout = Layout::in_place,
          .sequences = {{.ids = std::move(ids)}},
          .targets = {{.at = std::move(at), .labels = std::move(labels)}}};
}

Example source_target(std::vector<int64_t> source,
                      std::vector<int64_t> target,
                      std::span<const int64_t> unlabeled) {
  Target predicted{.sequence = 1};
  for (int64_t t = 0; t < std::ssize(target); ++t) {
    if (!std::ranges::binary_search(unlabeled, t)) {
      predicted.at.push_back(t);
      predicted.labels.push_back(target[static_cast<size_t>(t)]);
    }
  }
  return {.layout = Layout::source_target,
          .sequences = {{.ids = std::move(source)}, {.ids = std::move(target)}},
          .targets = {std::move(predicted)}};
}

Example next_tokens(std::vector<int64_t> ids, int64_t given) {
  Target predicted;
  if (ids.size() > 1) {
    const int64_t first = std::clamp<int64_t>(given, 1, std::ssize(ids));
    predicted.labels.assign(ids.begin() + first, ids.end());
    predicted.at.resize(predicted.labels.size());
    std::iota(predicted.at.begin(), predicted.at.end(), first - 1);
    ids.pop_back();
  }
  return {
      .layout = Layout::stream, .sequences = {{.ids = std::move(ids)}}, .targets = {std::move(predicted)}};
}

}  // namespace lmzoo
