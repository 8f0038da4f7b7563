#include "base/words/huffman.h"

#include <algorithm>

namespace lmzoo {
namespace {

struct Tree {
  std::vector<int32_t> parent;  // of leaves 0..V-1, then of inner nodes V..2V-2
  std::vector<uint8_t> branch;  // that leads there
};

// Two queues: leaves from the rarest on, and inner nodes, which are made by ascending weight.
Tree build(std::span<const int64_t> counts) {
  const size_t words = counts.size();
  Tree tree{std::vector<int32_t>(2 * words - 1, -1), std::vector<uint8_t>(2 * words - 1, 0)};
  std::vector<int64_t> weights(counts.begin(), counts.end());
  weights.resize(2 * words - 1);
  size_t leaves = words;  // not yet taken: [0, leaves)
  size_t inner = words;   // the next one to take
  for (size_t made = words; made < 2 * words - 1; ++made) {
    const auto take = [&] {
      const bool leaf = leaves > 0 && (inner == made || weights[leaves - 1] < weights[inner]);
      return leaf ? --leaves : inner++;
    };
    const size_t first = take();
    const size_t second = take();
    weights[made] = weights[first] + weights[second];
    tree.parent[first] = tree.parent[second] = static_cast<int32_t>(made);
    tree.branch[second] = 1;
  }
  return tree;
}

}  // namespace

HuffmanTree::HuffmanTree(std::span<const int64_t> counts) {
  const Tree tree = build(counts);
  const auto words = static_cast<int32_t>(counts.size());
  for (int32_t word = 0; word < words; ++word) {
    for (int32_t at = word; tree.parent[static_cast<size_t>(at)] >= 0;
         at = tree.parent[static_cast<size_t>(at)]) {
      nodes_.push_back(tree.parent[static_cast<size_t>(at)] - words);
      branches_.push_back(tree.branch[static_cast<size_t>(at)]);
    }
    const auto begin = static_cast<std::ptrdiff_t>(starts_.back());
    std::reverse(nodes_.begin() + begin, nodes_.end());
    std::reverse(branches_.begin() + begin, branches_.end());
    starts_.push_back(nodes_.size());
    longest_ = std::max(longest_, static_cast<int64_t>(nodes_.size()) - begin);
  }
}

}  // namespace lmzoo
