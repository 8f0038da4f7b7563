// Which instruction set the hand-written kernels use. Each kernel is compiled once for each of these (files
// *_avx512.cpp, *_avx2.cpp, *_generic.cpp) and chosen at run time, so one binary serves every x86-64 and
// other CPUs.
#pragma once

// Calls `function` of the namespace of the best instruction set: LMZOO_BEST_ISA(kernels()) is
// avx512::kernels() on a CPU that has it. On processors other than x86 only the namespace `generic` exists.
#if defined(__x86_64__)
#define LMZOO_BEST_ISA(call)                                      \
  (::lmzoo::isa() == ::lmzoo::Isa::avx512 ? ::lmzoo::avx512::call \
   : ::lmzoo::isa() == ::lmzoo::Isa::avx2 ? ::lmzoo::avx2::call   \
                                          : ::lmzoo::generic::call)
#else
#define LMZOO_BEST_ISA(call) ::lmzoo::generic::call
#endif

namespace lmzoo {

enum class Isa {
  generic,
  avx2,
  avx512
};  // avx2: with FMA; avx512: F, BW, DQ, VL and BF16 (Zen 4, Cooper Lake)

// The best that this CPU has, unless a ScopedIsa says less.
Isa isa();
const char* name_of(Isa isa);

// Tests only: kernels use at most `allowed` while it lives. Not for concurrent use.
class ScopedIsa {
 public:
  explicit ScopedIsa(Isa allowed);
  ~ScopedIsa();
  ScopedIsa(const ScopedIsa&) = delete;
  ScopedIsa& operator=(const ScopedIsa&) = delete;

 private:
  Isa before_;
};

}  // namespace lmzoo
