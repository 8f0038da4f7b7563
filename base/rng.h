// Counter-based random numbers: every draw is a function of (seed, epoch, sample, purpose) and its index in
// that stream, never of threads, workers or what was drawn before (DESIGN 7). So a resumed run continues bit
// for bit.
//
// Generator: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <utility>

namespace lmzoo {

// What a stream is used for; two purposes never share draws.
enum class Purpose : uint32_t { order, corruption, dropout, initialization, sampling, split, loss };

struct StreamKey {
  uint64_t seed = 0;
  uint64_t epoch = 0;
  uint64_t sample = 0;
  Purpose purpose = Purpose::corruption;

  bool operator==(const StreamKey&) const = default;
};

// 64 well-mixed bits of a key; also what LibTorch's own generator is seeded with.
uint64_t seed_of(const StreamKey& key);

// One block of Philox4x32-10: 128 random bits for a 128-bit counter and a 64-bit key.
std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

// The sequence of draws that belongs to one key. Passed by reference; cheap to make.
class Stream {
 public:
  explicit Stream(const StreamKey& key);

  uint64_t bits();             // 64 uniform bits
  double uniform();            // [0, 1), 53 bits
  uint64_t below(uint64_t n);  // uniform in [0, n), unbiased (Lemire 2019); n > 0

  // Fisher-Yates.
  template <class T>
  void shuffle(std::span<T> items) {
    for (size_t i = items.size(); i > 1; --i) {
      std::swap(items[i - 1], items[below(i)]);
    }
  }

 private:
  std::array<uint32_t, 2> key_;
  uint64_t nonce_;
  uint64_t block_ = 0;
  std::array<uint64_t, 2> ready_{};
  int left_ = 0;
};

// A permutation of [0, n) that can be evaluated at one index without storing it: a Feistel network with cycle
// walking (Black & Rogaway, CT-RSA 2002). Exact: every index appears once. O(1) memory for any corpus.
class Permutation {
 public:
  Permutation(uint64_t size, const StreamKey& key);
  uint64_t operator()(uint64_t index) const;  // index < size
  uint64_t size() const { return size_; }

 private:
  uint64_t once(uint64_t value) const;

  uint64_t size_;
  int half_bits_;
  std::array<uint32_t, 2> key_;
  uint32_t nonce_;
};

}  // namespace lmzoo
