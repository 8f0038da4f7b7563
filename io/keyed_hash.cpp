#include "io/keyed_hash.h"

#include <array>
#include <bit>
#include <cstring>
#include <random>

namespace lmzoo {
namespace {

// Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012; the names are theirs.
struct SipState {
  uint64_t v0, v1, v2, v3;

  void round() {
    v0 += v1;
    v2 += v3;
    v1 = std::rotl(v1, 13) ^ v0;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 = std::rotl(v0, 32);
    v2 += v1;
    v0 += v3;
    v1 = std::rotl(v1, 17) ^ v2;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 = std::rotl(v2, 32);
  }
  void take(uint64_t word) {
    v3 ^= word;
    round();
    v0 ^= word;
  }
};

}  // namespace

uint64_t siphash(std::string_view bytes, uint64_t key0, uint64_t key1) {
  SipState state{key0 ^ 0x736F6D6570736575,
                 key1 ^ 0x646F72616E646F6D,
                 key0 ^ 0x6C7967656E657261,
                 key1 ^ 0x7465646279746573};
  uint64_t word = 0;
  size_t at = 0;
  for (; bytes.size() - at >= sizeof word; at += sizeof word) {
    std::memcpy(&word, bytes.data() + at, sizeof word);
    state.take(word);
  }
  word = 0;
  if (at < bytes.size()) {  // of an empty text, data() may be null
    std::memcpy(&word, bytes.data() + at, bytes.size() - at);
  }
  state.take(word | static_cast<uint64_t>(bytes.size()) << 56);
  state.v2 ^= 0xFF;
  state.round();
  state.round();
  state.round();
  return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

size_t KeyedHash::operator()(std::string_view bytes) const {
  static const std::array<uint64_t, 2> key = [] {
    std::random_device device;
    const auto word = [&] { return static_cast<uint64_t>(device()) << 32 | device(); };
    return std::array<uint64_t, 2>{word(), word()};
  }();
  return siphash(bytes, key[0], key[1]);
}

}  // namespace lmzoo
