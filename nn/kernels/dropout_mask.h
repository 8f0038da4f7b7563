// Which elements dropout drops: a function of (seed, row, column), so that the backward pass and every
// instruction set find the same ones again and nothing is stored. No LibTorch here: kernels include it.
//
// Every row gets a 64-bit key from splitmix64 (Steele et al., OOPSLA 2014), which passes BigCrush on its own.
// Within a row, 16 counters give 32 columns: a 32-bit counter goes through "lowbias32" (prospector hash,
// constants of C. Wellons; each input bit flips each output bit with probability 0.5 ± 0.005), the second
// half of the row's key added between its two multiplications, so that rows whose counters happen to meet
// part again. The low 16 bits of counter 16g + l belong to column 32g + l, the high ones to column 32g + 16 +
// l. An element is dropped when its 16 bits are below the threshold: the probability is p rounded to 1/65536
// and survivors are scaled by its exact complement, so nothing is biased. This is no generator for
// cryptography or for Monte Carlo beyond dropout.
#pragma once

#include <cstdint>

namespace lmzoo {

struct DropoutMask {
  uint64_t seed = 0;
  uint32_t threshold = 0;  // of 65536; 0 = nothing is dropped
  float scale = 1;         // of survivors
};

struct DropoutRow {
  uint32_t first = 0;
  uint32_t second = 0;
};

inline constexpr int kDropoutGroup = 32;  // columns a group; its 16 counters are consecutive

// static: each unit keeps its own copy, compiled for its own instruction set.
static inline DropoutRow dropout_row(uint64_t seed, uint64_t row) {
  uint64_t z = seed + (row + 1) * 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  z ^= z >> 31;
  return {static_cast<uint32_t>(z), static_cast<uint32_t>(z >> 32)};
}

// 32 bits of a counter (or a vector of them).
template <class T>
static inline __attribute__((always_inline)) T dropout_bits(const DropoutRow& row, T counter) {
  T x = counter + row.first;
  x = (x ^ (x >> 16)) * 0x21f0aaadu;
  x = (x ^ (x >> 15)) + row.second;
  x = x * 0x735a2d97u;
  return x ^ (x >> 15);
}

}  // namespace lmzoo
