#include "base/rng.h"

#include <numeric>
#include <set>
#include <vector>

#include "support/catch.h"

using namespace lmzoo;

TEST_CASE("philox gives the published known answers") {
  // kat_vectors of Random123: philox4x32 10 rounds, zero counter and key, and all ones.
  CHECK(philox({0, 0, 0, 0}, {0, 0}) ==
        std::array<uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  const uint32_t ones = 0xffffffff;
  CHECK(philox({ones, ones, ones, ones}, {ones, ones}) ==
        std::array<uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
}

TEST_CASE("a stream depends on every part of its key and on nothing else") {
  const StreamKey key{.seed = 1, .epoch = 2, .sample = 3, .purpose = Purpose::corruption};
  std::set<uint64_t> firsts{Stream(key).bits()};
  for (StreamKey other : {StreamKey{2, 2, 3, Purpose::corruption},
                          StreamKey{1, 3, 3, Purpose::corruption},
                          StreamKey{1, 2, 4, Purpose::corruption},
                          StreamKey{1, 2, 3, Purpose::order}}) {
    firsts.insert(Stream(other).bits());
  }
  CHECK(firsts.size() == 5);
  Stream a(key);
  Stream b(key);
  for (int i = 0; i < 100; ++i) {
    CHECK(a.bits() == b.bits());
  }
}

TEST_CASE("below(n) is uniform within five sigma") {
  Stream stream({.seed = 7});
  std::vector<int64_t> counts(6);
  constexpr int64_t kDraws = 600'000;
  for (int64_t i = 0; i < kDraws; ++i) {
    ++counts[stream.below(6)];
  }
  const double sigma = std::sqrt(kDraws * (1.0 / 6) * (5.0 / 6));
  for (const int64_t count : counts) {
    CHECK(std::abs(static_cast<double>(count) - kDraws / 6.0) < 5 * sigma);
  }
}

TEST_CASE("a permutation visits every index exactly once, for any size") {
  const uint64_t size = GENERATE(1, 2, 3, 7, 64, 1000, 4097);
  const Permutation permutation(size, {.seed = 3, .epoch = 1, .purpose = Purpose::order});
  std::vector<int> seen(size);
  for (uint64_t i = 0; i < size; ++i) {
    ++seen[permutation(i)];
  }
  CHECK(std::all_of(seen.begin(), seen.end(), [](int count) { return count == 1; }));
}
