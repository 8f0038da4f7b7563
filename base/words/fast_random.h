// A random sequence for inner loops: splitmix64 (Steele, Lea & Flood, OOPSLA 2014), a nanosecond a draw.
// Seeded from the hash of a StreamKey (base/rng.h), so that what is drawn is again a function of (seed,
// epoch, sample, purpose).
#pragma once

#include <cstdint>

namespace lmzoo {

class FastRandom {
 public:
  explicit FastRandom(uint64_t seed) : state_(seed) {}

  uint64_t bits() {
    state_ += 0x9E3779B97F4A7C15;
    uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }
  // In [0, n); for n far below 2³² as good as uniform.
  uint32_t below(uint32_t n) { return static_cast<uint32_t>(((bits() >> 32) * n) >> 32); }

 private:
  uint64_t state_;
};

}  // namespace lmzoo
