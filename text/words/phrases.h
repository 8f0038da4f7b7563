// Phrases: pairs of words that are joined by '_' before the text is counted or encoded, in several passes
// (Mikolov et al. 2013, section 4; word2phrase). In a pass a word is joined once at most, from the left.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/words/word_index.h"

namespace lmzoo {

class Phrases {
 public:
  bool empty() const { return passes_.empty(); }
  // A pair of pass 0, 1, ... ; passes are added in order.
  void add(int64_t pass, std::string_view first, std::string_view second);
  // Replaces pairs of `words` by phrases, whose text lives as long as this object is not changed.
  void join(std::vector<std::string_view>& words) const;

  // Lines "pass TAB first TAB second", and back; what is no such line is an InputError naming `file`.
  std::string text() const;
  static Phrases parse(std::string_view text, const std::string& file);

 private:
  struct Pair {
    int64_t pass;
    int32_t first, second;
  };
  WordIndex words_;                                            // of pairs, and the phrases
  std::vector<Pair> pairs_;                                    // in the order added
  std::vector<std::unordered_map<uint64_t, int32_t>> passes_;  // pair -> phrase
};

}  // namespace lmzoo
