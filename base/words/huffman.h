// The Huffman tree of hierarchical softmax (Morin & Bengio 2005; Mikolov et al. 2013): a word is reached from
// the root by a few yes-or-no questions, frequent words by fewer.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace lmzoo {

class HuffmanTree {
 public:
  // Words by descending count. V words have V - 1 inner nodes, numbered from 0; the root is V - 2.
  explicit HuffmanTree(std::span<const int64_t> counts);

  // From the root on: the inner nodes that are asked, and the branch that the word takes at each (0 or 1).
  std::span<const int32_t> nodes(int64_t word) const { return part(nodes_, word); }
  std::span<const uint8_t> branches(int64_t word) const { return part(branches_, word); }
  int64_t longest() const { return longest_; }

 private:
  template <class T>
  std::span<const T> part(const std::vector<T>& all, int64_t word) const {
    const auto i = static_cast<size_t>(word);
    return std::span(all).subspan(starts_[i], starts_[i + 1] - starts_[i]);
  }

  std::vector<uint64_t> starts_{0};
  std::vector<int32_t> nodes_;
  std::vector<uint8_t> branches_;
  int64_t longest_ = 0;
};

}  // namespace lmzoo
