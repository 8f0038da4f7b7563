#include "base/words/word_index.h"

#include <cstring>
#include <limits>

#include "base/check.h"

namespace lmzoo {
namespace {

constexpr size_t kFirstSlots = 1024;

// Multiplies and folds eight bytes at a time, as wyhash does: good spread, about a cycle a byte.
uint64_t folded(uint64_t a, uint64_t b) {
  const unsigned __int128 product = static_cast<unsigned __int128>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

uint64_t hash_of(std::string_view word) {
  uint64_t hash = 0x9E3779B97F4A7C15 ^ word.size();
  size_t at = 0;
  for (; at + 8 <= word.size(); at += 8) {
    uint64_t piece;
    std::memcpy(&piece, word.data() + at, 8);
    hash = folded(hash ^ piece, 0xE7037ED1A0B428DB);
  }
  uint64_t rest = 0;
  std::memcpy(&rest, word.data() + at, word.size() - at);
  return folded(hash ^ rest, 0x8EBC6AF09C88C6E3);
}

}  // namespace

WordIndex::WordIndex() : slots_(kFirstSlots) {}

// Where the word is, or the free slot where it belongs.
size_t WordIndex::slot_of(std::string_view wanted, uint64_t hash) const {
  const size_t mask = slots_.size() - 1;
  for (size_t at = (hash >> 32) & mask;; at = (at + 1) & mask) {
    const Slot& slot = slots_[at];
    if (slot.number < 0 || (slot.hash == static_cast<uint32_t>(hash) && word(slot.number) == wanted)) {
      return at;
    }
  }
}

int32_t WordIndex::find(std::string_view word) const { return slots_[slot_of(word, hash_of(word))].number; }

int32_t WordIndex::add(std::string_view word) {
  const uint64_t hash = hash_of(word);
  size_t at = slot_of(word, hash);
  if (slots_[at].number >= 0) {
    return slots_[at].number;
  }
  check(size() < std::numeric_limits<int32_t>::max(), "the text has over 2,147,483,647 different words");
  if (ends_.size() * 2 > slots_.size()) {
    grow();
    at = slot_of(word, hash);
  }
  slots_[at] = {static_cast<uint32_t>(hash), static_cast<int32_t>(size())};
  bytes_ += word;
  ends_.push_back(bytes_.size());
  return slots_[at].number;
}

void WordIndex::grow() {
  slots_.assign(slots_.size() * 4, Slot{});
  const size_t mask = slots_.size() - 1;
  for (int64_t i = 0; i < size(); ++i) {
    const uint64_t hash = hash_of(word(i));
    size_t at = (hash >> 32) & mask;
    while (slots_[at].number >= 0) {
      at = (at + 1) & mask;
    }
    slots_[at] = {static_cast<uint32_t>(hash), static_cast<int32_t>(i)};
  }
}

}  // namespace lmzoo
