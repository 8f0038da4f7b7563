// The compiled normalization rules of a SentencePiece model, checked before libsentencepiece follows them.
//
//   u32 LE t | t bytes: a double-array trie (darts-clone, u32 LE units) over the inputs | outputs, each ended
//   by NUL
//
// A unit: bit 31 = it is a value (the other 31 bits: where the output begins); else bits 0-7 = the byte that
// leads to it, bit 8 = a value hangs on it, bit 9 = the offset is in blocks of 256, bits 10-30 = offset. The
// units after node p are at (p ^ offset) ^ byte, its value at p ^ offset.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace lmzoo {

// The reason why libsentencepiece could go out of bounds with these rules, or empty when it cannot. No rules
// are fine.
std::string charsmap_fault(std::string_view charsmap);

}  // namespace lmzoo
