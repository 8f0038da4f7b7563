#include "fuzz/target.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include <sys/mman.h>
#include <unistd.h>

namespace lmzoo::fuzz {
namespace {

// One file in memory for all inputs.
class MemoryFile {
 public:
  MemoryFile() : descriptor_(::memfd_create("input", 0)) {}

  std::string hold(std::string_view bytes) const {
    const bool is_written =
        ::ftruncate(descriptor_, 0) == 0 &&
        ::pwrite(descriptor_, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size());
    if (!is_written) {
      std::abort();
    }
    return "/proc/self/fd/" + std::to_string(descriptor_);
  }

 private:
  int descriptor_;
};

}  // namespace

void touch(const void* bytes, size_t size) {
  const auto* data = static_cast<const volatile unsigned char*>(bytes);
  for (size_t i = 0; i < size; ++i) {
    (void)data[i];
  }
}

void show(const InputError& refusal) {
  static const bool is_wanted = std::getenv("LMZOO_FUZZ_SHOW") != nullptr;
  if (is_wanted) {
    std::fprintf(stderr, "refused: %s\n", refusal.what());
  }
}

}  // namespace lmzoo::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const lmzoo::fuzz::MemoryFile file;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    lmzoo::fuzz::read_input({bytes, file.hold(bytes)});
  } catch (const lmzoo::InputError& error) {
    const std::string_view what = error.what();
    lmzoo::fuzz::show(error);
    if (what.find('\n') != std::string_view::npos || what.size() > 4096) {
      std::abort();  // a refusal is one line
    }
  }
  return 0;
}
