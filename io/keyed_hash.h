// A hash for tables whose keys come out of a file: SipHash-1-3 with a random key of this process. With the
// standard library's hash, whose key is known, a small file can hold a hundred thousand names that all
// collide, and takes minutes to read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace lmzoo {

uint64_t siphash(std::string_view bytes, uint64_t key0, uint64_t key1);

struct KeyedHash {
  size_t operator()(std::string_view bytes) const;
};

}  // namespace lmzoo
