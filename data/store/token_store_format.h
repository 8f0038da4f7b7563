// The parts of a token store's file (token_store.h) that its reader and its writer share.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "io/files.h"

namespace lmzoo::token_store_format {

static_assert(std::endian::native == std::endian::little, "the format is little-endian and mapped as it is");

inline constexpr uint32_t kVersion = 6;
inline constexpr size_t kBlock = 64 << 10;
inline constexpr std::string_view kMagic = "LMZOOIDS";
inline constexpr std::string_view kEndMagic = "LMZOOEND";

struct Header {
  char magic[8];
  uint32_t version;
  uint32_t id_bytes;
  uint64_t vocab_size;
};
static_assert(sizeof(Header) == 24);

struct Trailer {
  uint64_t documents;
  uint64_t tokens;
  uint64_t classes;
  uint64_t class_bytes;
  uint64_t sum_bytes;
  uint64_t notes;
  uint64_t passage_bytes;
  uint64_t text_bytes;
  uint64_t has_columns;
  uint64_t blank;
  uint64_t invalid_bytes;
  uint64_t quoted;
  uint64_t unknown;
  uint64_t words;
  uint32_t ends_crc;
  uint32_t zero;
  char magic[8];
};
static_assert(sizeof(Trailer) == 128);

constexpr uint64_t padded(uint64_t bytes) { return (bytes + 7) / 8 * 8; }

inline Header header_of(int64_t vocab_size, int64_t id_bytes) {
  Header header{{}, kVersion, static_cast<uint32_t>(id_bytes), static_cast<uint64_t>(vocab_size)};
  std::copy(kMagic.begin(), kMagic.end(), header.magic);
  return header;
}

// Of the parts of a file that opening reads; `tail`: classes and sums.
inline uint32_t crc_of_ends(const Header& header, std::span<const std::byte> tail, const Trailer& trailer) {
  const uint32_t crc = crc32(tail, crc32(std::as_bytes(std::span(&header, 1))));
  return crc32(std::as_bytes(std::span(&trailer, 1)).first(offsetof(Trailer, ends_crc)), crc);
}

}  // namespace lmzoo::token_store_format
