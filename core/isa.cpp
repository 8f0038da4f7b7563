#include "core/isa.h"

#include <atomic>

namespace lmzoo {
namespace {

Isa detect() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512bf16")) {
    return Isa::avx512;
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    return Isa::avx2;
  }
#endif
  return Isa::generic;
}

std::atomic<Isa> limit{Isa::avx512};

}  // namespace

Isa isa() {
  static const Isa detected = detect();
  const Isa allowed = limit.load(std::memory_order_relaxed);
  return detected < allowed ? detected : allowed;
}

const char* name_of(Isa isa) {
  switch (isa) {
    case Isa::avx512:
      return "avx512";
    case Isa::avx2:
      return "avx2";
    case Isa::generic:
      break;
  }
  return "generic";
}

ScopedIsa::ScopedIsa(Isa allowed) : before_(limit.exchange(allowed)) {}

ScopedIsa::~ScopedIsa() { limit = before_; }

}  // namespace lmzoo
