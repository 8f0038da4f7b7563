#include "io/content_hash.h"

#include <bit>
#include <cstdio>
#include <cstring>

#include "io/files.h"

namespace lmzoo {
namespace {

// The two halves of a 128-bit product, folded (the mixing step of wyhash).
uint64_t mix(uint64_t a, uint64_t b) {
  const auto product = static_cast<unsigned __int128>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

void absorb(std::array<uint64_t, 2>& state, uint64_t low, uint64_t high) {
  constexpr uint64_t kFirst = 0xA0761D6478BD642F;
  constexpr uint64_t kSecond = 0xE7037ED1A0B428DB;
  // Rotated, not replaced: a product of zero must not wipe out what came before.
  state[0] = std::rotl(state[0], 31) + mix(low ^ state[0], high ^ kFirst);
  state[1] = std::rotl(state[1], 27) + mix(high ^ state[1], low ^ kSecond);
}

}  // namespace

ContentHash& ContentHash::add(std::string_view bytes) {
  absorb(state_, bytes.size(), 'b');
  std::array<uint64_t, 2> words{};
  size_t at = 0;
  for (; at + sizeof words <= bytes.size(); at += sizeof words) {
    std::memcpy(words.data(), bytes.data() + at, sizeof words);
    absorb(state_, words[0], words[1]);
  }
  if (at < bytes.size()) {
    words = {};
    std::memcpy(words.data(), bytes.data() + at, bytes.size() - at);
    absorb(state_, words[0], words[1]);
  }
  return *this;
}

ContentHash& ContentHash::add(int64_t number) {
  absorb(state_, static_cast<uint64_t>(number), 'n');
  return *this;
}

ContentHash& ContentHash::add_file(const std::string& path) { return add(MappedFile(path).text()); }

std::string ContentHash::hex() const {
  std::array<uint64_t, 2> last = state_;
  absorb(last, state_[1], state_[0]);
  absorb(last, last[1], last[0]);
  char digits[33];
  std::snprintf(digits,
                sizeof digits,
                "%016llx%016llx",
                static_cast<unsigned long long>(last[0]),
                static_cast<unsigned long long>(last[1]));
  return digits;
}

}  // namespace lmzoo
