// Words to numbers 0, 1, ... in the order in which they were added, and back. Holds any number of words in
// three blocks of memory: a look-up reads one slot and one word.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lmzoo {

class WordIndex {
 public:
  WordIndex();

  int32_t find(std::string_view word) const;  // -1: not there
  int32_t add(std::string_view word);         // its number, a new one if it is not there yet
  int64_t size() const { return static_cast<int64_t>(ends_.size()) - 1; }
  std::string_view word(int64_t number) const {
    const auto i = static_cast<size_t>(number);
    return std::string_view(bytes_).substr(ends_[i], ends_[i + 1] - ends_[i]);
  }

 private:
  struct Slot {
    uint32_t hash = 0;
    int32_t number = -1;  // -1: free
  };
  size_t slot_of(std::string_view word, uint64_t hash) const;
  void grow();

  std::string bytes_;              // of all words
  std::vector<uint64_t> ends_{0};  // word i is bytes_[ends_[i], ends_[i+1])
  std::vector<Slot> slots_;        // open addressing; at most half of them are taken
};

}  // namespace lmzoo
