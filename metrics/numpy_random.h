// The random numbers of NumPy's default_rng(seed), bit for bit, as far as resampling needs them: so that a
// bootstrap here draws the examples that sacreBLEU draws.
//
// Sources: PCG64 (XSL RR 128/64): O'Neill, "PCG: A family of simple fast space-efficient statistically good
// algorithms for random number generation", 2014; seeding: O'Neill's seed_seq, as in
// numpy/random/bit_generator.pyx; bounded integers: Lemire 2019.
#pragma once

#include <cstdint>

namespace lmzoo {

class NumpyRandom {
 public:
  explicit NumpyRandom(uint64_t seed);

  uint64_t next64();
  uint32_t next32();  // the low half of a new number, then its high half
  // As integers(0, n) and choice(n) draw; 0 < n < 2^32.
  uint32_t below(uint32_t n);

 private:
  using Wide = unsigned __int128;
  void step();

  Wide state_ = 0;
  Wide increment_ = 0;
  uint32_t high_half_ = 0;
  bool has_high_half_ = false;
};

// As integers(2, size=..., dtype=bool) draws them: one call of that is one object.
class NumpyBits {
 public:
  explicit NumpyBits(NumpyRandom& random) : random_(random) {}
  bool next();

 private:
  NumpyRandom& random_;
  uint32_t bits_ = 0;
  int left_ = 0;
};

}  // namespace lmzoo
