// Random damage to a valid file: a reader must answer every mutant with a value or an InputError, nothing
// else.
#pragma once

#include <cstdint>
#include <functional>
#include <random>
#include <string>

#include "base/error.h"

namespace lmzoo::test {

struct MutantCount {
  int accepted = 0;
  int refused = 0;
};

// One to eight edits: a bit flipped, a byte set, a run removed, doubled or copied elsewhere, the end cut off.
inline std::string mutate(std::string bytes, std::mt19937_64& random) {
  const auto below = [&](size_t n) { return n == 0 ? 0 : static_cast<size_t>(random() % n); };
  const auto edits = 1 + below(8);
  for (size_t i = 0; i < edits && !bytes.empty(); ++i) {
    const size_t at = below(bytes.size());
    const size_t run = 1 + below(16);
    switch (below(7)) {
      case 0:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8)));
        break;
      case 1:
        bytes[at] = static_cast<char>(random());
        break;
      case 2:
        bytes.erase(at, run);
        break;
      case 3:
        bytes.insert(at, bytes.substr(at, run));
        break;
      case 4:
        bytes.insert(below(bytes.size()), bytes.substr(at, run));
        break;
      case 5:
        bytes[at] = "\0\xFF\x7F\x80{}[]\":,0-"[below(13)];
        break;
      default:
        bytes.resize(bytes.size() - below(bytes.size()) / 4);
    }
  }
  return bytes;
}

// Reads `count` mutants of `valid`. Whatever is thrown that is no InputError ends the test.
inline MutantCount read_mutants(const std::string& valid,
                                int count,
                                const std::function<void(const std::string&)>& read) {
  std::mt19937_64 random(20240607);
  MutantCount result;
  for (int i = 0; i < count; ++i) {
    try {
      read(mutate(valid, random));
      ++result.accepted;
    } catch (const InputError&) {
      ++result.refused;
    }
  }
  return result;
}

}  // namespace lmzoo::test
