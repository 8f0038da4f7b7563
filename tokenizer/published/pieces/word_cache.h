// The pieces of words that came before: text repeats its words, and a look-up costs less than any model.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "tokenizer/published/pieces/model.h"

namespace lmzoo::huggingface {

// One slot a hash; a word drives out the one that was there.
class WordCache {
 public:
  static constexpr size_t kLongestWord = 24;  // bytes
  static constexpr size_t kMostTokens = 8;

  static uint64_t hash(std::string_view word) { return std::hash<std::string_view>()(word); }

  // Appends the word's tokens if it is known.
  bool find(std::string_view word, uint64_t hash, std::vector<Token>& out) const {
    const Slot& slot = slots_[hash % kSlots];
    if (slot.hash != hash || slot.length != word.size() ||
        std::memcmp(slot.text.data(), word.data(), word.size()) != 0) {
      return false;
    }
    for (size_t i = 0; i < slot.count; ++i) {
      out.push_back({slot.ids[i], slot.begin[i], slot.end[i]});
    }
    return true;
  }

  void put(std::string_view word, uint64_t hash, std::span<const Token> tokens) {
    if (word.size() > kLongestWord || tokens.size() > kMostTokens) {
      return;
    }
    Slot& slot = slots_[hash % kSlots];
    slot.hash = hash;
    slot.length = static_cast<uint8_t>(word.size());
    slot.count = static_cast<uint8_t>(tokens.size());
    std::memcpy(slot.text.data(), word.data(), word.size());
    for (size_t i = 0; i < tokens.size(); ++i) {
      slot.ids[i] = tokens[i].id;
      slot.begin[i] = static_cast<uint8_t>(tokens[i].begin);
      slot.end[i] = static_cast<uint8_t>(tokens[i].end);
    }
  }

 private:
  static constexpr size_t kSlots = 1 << 14;
  struct Slot {
    uint64_t hash = 0;
    uint8_t length = 0;  // 0: empty
    uint8_t count = 0;
    std::array<uint8_t, kMostTokens> begin, end;
    std::array<char, kLongestWord> text;
    std::array<PieceId, kMostTokens> ids;
  };
  std::vector<Slot> slots_{kSlots};
};

}  // namespace lmzoo::huggingface
