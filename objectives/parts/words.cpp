#include "objectives/parts/words.h"

namespace lmzoo {

Units words_of(std::span<const int64_t> ids, const std::vector<WordEdges>& edges) {
  Units words;
  for (int64_t i = 0; i < std::ssize(ids); ++i) {
    const bool is_new = i == 0 || edges.at(static_cast<size_t>(ids[i])).begins ||
                        edges.at(static_cast<size_t>(ids[i - 1])).ends;
    if (is_new && i > 0) {
      words.ends.push_back(i);
    }
    words.positions.push_back(i);
  }
  if (!ids.empty()) {
    words.ends.push_back(std::ssize(ids));
  }
  return words;
}

}  // namespace lmzoo
