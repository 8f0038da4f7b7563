#include "io/content_hash.h"

#include <cstdio>
#include <new>

#include <xxhash.h>

#include "io/files.h"

namespace lmzoo {
namespace {

// Before each item, so that items do not run into each other.
struct Prefix {
  uint64_t size;  // of the bytes that follow, or the number itself
  uint64_t kind;  // 'b' or 'n'
};

}  // namespace

void ContentHash::Release::operator()(XXH3_state_s* state) const { XXH3_freeState(state); }

ContentHash::ContentHash() : state_(XXH3_createState()) {
  if (state_ == nullptr) {
    throw std::bad_alloc();
  }
  XXH3_128bits_reset(state_.get());
}

ContentHash& ContentHash::add(std::string_view bytes) {
  const Prefix prefix{bytes.size(), 'b'};
  XXH3_128bits_update(state_.get(), &prefix, sizeof prefix);
  XXH3_128bits_update(state_.get(), bytes.data(), bytes.size());
  return *this;
}

ContentHash& ContentHash::add(int64_t number) {
  const Prefix prefix{static_cast<uint64_t>(number), 'n'};
  XXH3_128bits_update(state_.get(), &prefix, sizeof prefix);
  return *this;
}

ContentHash& ContentHash::add_file(const std::string& path) { return add(MappedFile(path).text()); }

std::string ContentHash::hex() const {
  const XXH128_hash_t digest = XXH3_128bits_digest(state_.get());
  char digits[33];
  std::snprintf(digits,
                sizeof digits,
                "%016llx%016llx",
                static_cast<unsigned long long>(digest.high64),
                static_cast<unsigned long long>(digest.low64));
  return digits;
}

}  // namespace lmzoo
