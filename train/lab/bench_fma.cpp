// fma_rate of bench.h: what the arithmetic units do when nothing else stands in the way.
#include <chrono>
#include <thread>

#include "train/lab/bench.h"

namespace lmzoo {
namespace {

constexpr int kChains = 12;  // independent, so that latency (4 or 5 cycles, 2 units) is hidden
constexpr int64_t kFmaRounds = 20'000;

// Lanes floats a vector; each round is kChains multiply-adds. The result must be used, or it is not computed,
// and the chains must begin apart, or the compiler sees that they are one.
#define LMZOO_FMA_LOOP(lanes)                                                                         \
  using Vector = float __attribute__((vector_size(4 * (lanes))));                                     \
  Vector sums[kChains];                                                                               \
  for (int i = 0; i < kChains; ++i) {                                                                 \
    sums[i] = Vector{} + (seed + static_cast<float>(i));                                              \
  }                                                                                                   \
  const Vector factor = Vector{} + 0.999F, term = Vector{} + seed;                                    \
  for (int64_t round = 0; round < kFmaRounds; ++round) {                                              \
    _Pragma("GCC unroll 12") for (int i = 0; i < kChains; ++i) { sums[i] = sums[i] * factor + term; } \
  }                                                                                                   \
  float total = 0;                                                                                    \
  for (const Vector& sum : sums) {                                                                    \
    total += sum[0];                                                                                  \
  }                                                                                                   \
  return total

#if defined(__x86_64__)
__attribute__((target("avx512f"), optimize("fp-contract=fast"), noinline)) float run_avx512(float seed) {
  LMZOO_FMA_LOOP(16);
}
__attribute__((target("avx2,fma"), optimize("fp-contract=fast"), noinline)) float run_avx2(float seed) {
  LMZOO_FMA_LOOP(8);
}
#endif
__attribute__((noinline)) float run_generic(float seed) { LMZOO_FMA_LOOP(4); }
#undef LMZOO_FMA_LOOP

struct Kernel {
  float (*run)(float);
  int lanes;
};

Kernel best_kernel() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f")) {
    return {run_avx512, 16};
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    return {run_avx2, 8};
  }
#endif
  return {run_generic, 4};
}

}  // namespace

double fma_rate(int threads) {
  using Clock = std::chrono::steady_clock;
  constexpr double kSeconds = 0.3;
  const Kernel kernel = best_kernel();
  std::vector<double> rates(static_cast<size_t>(threads));
  std::vector<std::jthread> workers;
  for (double& rate : rates) {
    workers.emplace_back([&kernel, &rate] {
      float used = 0;
      double seconds = 0;
      int64_t calls = 0;
      const Clock::time_point begin = Clock::now();
      do {
        used += kernel.run(used * 1e-30F);
        ++calls;
        seconds = std::chrono::duration<double>(Clock::now() - begin).count();
      } while (seconds < kSeconds);
      rate = 2.0 * kChains * kernel.lanes * static_cast<double>(kFmaRounds) * static_cast<double>(calls) /
             seconds;
    });
  }
  workers.clear();
  double sum = 0;
  for (const double rate : rates) {
    sum += rate;
  }
  return sum;
}

}  // namespace lmzoo
