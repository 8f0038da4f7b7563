// Words of a text of ids, for objectives that hide whole words.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/vocabulary.h"
#include "objectives/parts/noise.h"

namespace lmzoo {

using SharedEdges = std::shared_ptr<const std::vector<WordEdges>>;

// Where words begin and end, which `user` cannot do without.
inline SharedEdges required_edges(const Vocabulary& vocabulary, std::string_view user) {
  check(vocabulary.edges != nullptr,
        "{} needs a tokenizer that tells where words begin, and this one does not",
        user);
  return vocabulary.edges;
}

// Every position belongs to one word. The first word of a text that was cut in a word is what is left of it.
//     ids      he  ate  mush  ##room  ##s  [SEP]
//     words    0 | 1 | 2 3 4 | 5
Units words_of(std::span<const int64_t> ids, const std::vector<WordEdges>& edges);

}  // namespace lmzoo
