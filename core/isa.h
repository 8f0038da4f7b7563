// Which instruction set the hand-written kernels use. Each kernel is compiled once for each of these (files
// *_avx512.cpp, *_avx2.cpp, *_generic.cpp) and chosen at run time, so one binary serves every x86-64 and
// other CPUs.
#pragma once

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
