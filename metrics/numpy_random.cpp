#include "metrics/numpy_random.h"

#include <array>
#include <cstddef>

namespace lmzoo {
namespace {

constexpr size_t kPool = 4;

// Mixes a word with a constant that changes with every use.
class HashMix {
 public:
  HashMix(uint32_t start, uint32_t factor) : constant_(start), factor_(factor) {}
  uint32_t operator()(uint32_t value) {
    value ^= constant_;
    constant_ *= factor_;
    value *= constant_;
    return value ^ (value >> 16);
  }

 private:
  uint32_t constant_, factor_;
};

uint32_t mix(uint32_t x, uint32_t y) {
  const uint32_t mixed = 0xca01f9ddU * x - 0x4973f715U * y;
  return mixed ^ (mixed >> 16);
}

// SeedSequence(seed).generate_state(4, uint64).
std::array<uint64_t, 4> seed_words(uint64_t seed) {
  HashMix in(0x43b0d7e5U, 0x931e8875U);
  std::array<uint32_t, kPool> pool{static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)};
  for (uint32_t& word : pool) {
    word = in(word);
  }
  for (size_t from = 0; from < kPool; ++from) {
    for (size_t to = 0; to < kPool; ++to) {
      if (from != to) {
        pool[to] = mix(pool[to], in(pool[from]));
      }
    }
  }
  HashMix out(0x8b51f9ddU, 0x58f38dedU);
  std::array<uint64_t, 4> words{};
  for (size_t i = 0; i < 2 * words.size(); ++i) {
    words[i / 2] |= static_cast<uint64_t>(out(pool[i % kPool])) << (32 * (i % 2));
  }
  return words;
}

}  // namespace

NumpyRandom::NumpyRandom(uint64_t seed) {
  const std::array<uint64_t, 4> words = seed_words(seed);
  increment_ = (((static_cast<Wide>(words[2]) << 64) | words[3]) << 1) | 1;
  step();
  state_ += (static_cast<Wide>(words[0]) << 64) | words[1];
  step();
}

void NumpyRandom::step() {
  constexpr Wide kFactor = (static_cast<Wide>(2549297995355413924ULL) << 64) | 4865540595714422341ULL;
  state_ = state_ * kFactor + increment_;
}

uint64_t NumpyRandom::next64() {
  step();
  const auto folded = static_cast<uint64_t>(state_ >> 64) ^ static_cast<uint64_t>(state_);
  const auto turn = static_cast<unsigned>(state_ >> 122);
  return (folded >> turn) | (folded << ((64 - turn) & 63));
}

uint32_t NumpyRandom::next32() {
  if (has_high_half_) {
    has_high_half_ = false;
    return high_half_;
  }
  const uint64_t both = next64();
  high_half_ = static_cast<uint32_t>(both >> 32);
  has_high_half_ = true;
  return static_cast<uint32_t>(both);
}

uint32_t NumpyRandom::below(uint32_t n) {
  if (n == 1) {
    return 0;  // without a draw
  }
  uint64_t product = static_cast<uint64_t>(next32()) * n;
  if (static_cast<uint32_t>(product) < n) {
    const uint32_t threshold = (0U - n) % n;
    while (static_cast<uint32_t>(product) < threshold) {
      product = static_cast<uint64_t>(next32()) * n;
    }
  }
  return static_cast<uint32_t>(product >> 32);
}

bool NumpyBits::next() {
  if (left_ == 0) {
    bits_ = random_.next32();
    left_ = 32;
  } else {
    bits_ >>= 1;
  }
  --left_;
  return (bits_ & 1) != 0;
}

}  // namespace lmzoo
