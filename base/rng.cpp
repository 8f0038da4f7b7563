#include "base/rng.h"

#include <bit>

namespace lmzoo {
namespace {

// Multipliers and Weyl constants of Philox4x32 (Salmon et al. 2011, section 3.3 and Random123's philox.h).
constexpr uint64_t kMultiplier0 = 0xD2511F53;
constexpr uint64_t kMultiplier1 = 0xCD9E8D57;
constexpr uint32_t kWeyl0 = 0x9E3779B9;
constexpr uint32_t kWeyl1 = 0xBB67AE85;
constexpr int kRounds = 10;

// The finalizer of splitmix64 (Steele, Lea & Flood, OOPSLA 2014): a bijection with full avalanche.
uint64_t mix(uint64_t z) {
  z += 0x9E3779B97F4A7C15;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

std::array<uint32_t, 2> halves(uint64_t value) {
  return {static_cast<uint32_t>(value), static_cast<uint32_t>(value >> 32)};
}

}  // namespace

uint64_t seed_of(const StreamKey& key) {
  uint64_t h = mix(key.seed);
  h = mix(h ^ mix(key.epoch + 0x1000));
  h = mix(h ^ mix(key.sample + 0x2000));
  return mix(h ^ mix(static_cast<uint64_t>(key.purpose) + 0x3000));
}

std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < kRounds; ++round) {
    const uint64_t product0 = kMultiplier0 * counter[0];
    const uint64_t product1 = kMultiplier1 * counter[2];
    counter = {static_cast<uint32_t>(product1 >> 32) ^ counter[1] ^ key[0],
               static_cast<uint32_t>(product1),
               static_cast<uint32_t>(product0 >> 32) ^ counter[3] ^ key[1],
               static_cast<uint32_t>(product0)};
    key[0] += kWeyl0;
    key[1] += kWeyl1;
  }
  return counter;
}

Stream::Stream(const StreamKey& key) : key_(halves(seed_of(key))), nonce_(mix(seed_of(key))) {}

uint64_t Stream::bits() {
  if (left_ == 0) {
    const auto [lo, hi] = halves(block_++);
    const auto [nonce_lo, nonce_hi] = halves(nonce_);
    const std::array<uint32_t, 4> words = philox({lo, hi, nonce_lo, nonce_hi}, key_);
    ready_ = {words[0] | static_cast<uint64_t>(words[1]) << 32,
              words[2] | static_cast<uint64_t>(words[3]) << 32};
    left_ = 2;
  }
  return ready_[--left_];
}

double Stream::uniform() { return static_cast<double>(bits() >> 11) * 0x1p-53; }

uint64_t Stream::below(uint64_t n) {
  // Lemire, "Fast random integer generation in an interval", TOMACS 2019, algorithm 5.
  unsigned __int128 product = static_cast<unsigned __int128>(bits()) * n;
  if (static_cast<uint64_t>(product) < n) {
    const uint64_t threshold = (0 - n) % n;
    while (static_cast<uint64_t>(product) < threshold) {
      product = static_cast<unsigned __int128>(bits()) * n;
    }
  }
  return static_cast<uint64_t>(product >> 64);
}

Permutation::Permutation(uint64_t size, const StreamKey& key)
    : size_(size),
      half_bits_(size < 2 ? 1 : (std::bit_width(size - 1) + 1) / 2),
      key_(halves(seed_of(key))),
      nonce_(static_cast<uint32_t>(mix(seed_of(key)))) {}

uint64_t Permutation::once(uint64_t value) const {
  const uint64_t mask = (uint64_t{1} << half_bits_) - 1;
  uint64_t left = value >> half_bits_;
  uint64_t right = value & mask;
  constexpr uint32_t kFeistelRounds = 4;
  for (uint32_t round = 0; round < kFeistelRounds; ++round) {
    const auto [lo, hi] = halves(right);
    const std::array<uint32_t, 4> words = philox({lo, hi, round, nonce_}, key_);
    const uint64_t f = words[0] | static_cast<uint64_t>(words[1]) << 32;
    left ^= f & mask;
    std::swap(left, right);
  }
  return left << half_bits_ | right;
}

uint64_t Permutation::operator()(uint64_t index) const {
  uint64_t value = once(index);
  while (value >= size_) {
    value = once(value);
  }
  return value;
}

}  // namespace lmzoo
