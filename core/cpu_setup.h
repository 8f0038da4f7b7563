// What a process sets once before it computes: oneMKL's instruction set, denormals, threads.
//
// oneMKL inside LibTorch takes its AVX-512 code on Intel CPUs only; on a Zen 4 or Zen 5 float32 products then
// run at half the speed that the same code reaches there. It asks a function, mkl_serv_intel_cpu_true, and
// the dynamic linker prefers a program's own function of that name over the library's: cpu_setup.cpp defines
// it. On a CPU that is not Intel's and has AVX-512F it says yes, unless LMZOO_MKL_DISPATCH=off; everywhere
// else oneMKL's own answer holds. Results differ in the last bits, as between any two CPUs.
#pragma once

#include <cstdint>
#include <string>

namespace lmzoo {

// Whether oneMKL is told to use AVX-512 on a CPU on which it would not have.
bool mkl_dispatch_changed();

// Lets OpenMP's threads spin a few microseconds at a barrier instead of milliseconds. libgomp's default makes
// a step many times slower as soon as anything else (a loader's thread, another program) wants one of the
// cores. libgomp reads its environment when it is loaded, so the program begins once more with GOMP_SPINCOUNT
// set; not when the user has set it or OMP_WAIT_POLICY. Call first in main.
void limit_spinning(char** argv);

// More crash: sorting inside LibTorch (fbgemm) takes 4 KiB of the caller's stack, of usually 8 MiB, for each.
inline constexpr int64_t kMostThreads = 1024;

// Threads of the CPU, and flush-to-zero in all of them: a model near convergence makes many denormals, and a
// CPU takes up to a hundred times longer for one (LMZOO_FLUSH_DENORMALS=off keeps them). `threads` 0: one for
// each core (OMP_NUM_THREADS wins), whatever was set before. Call before the first operation; returns the
// number set.
int64_t set_up_cpu(int64_t threads);

std::string cpu_name();         // "AMD EPYC 9B45"
std::string gpu_description();  // names of the GPUs, without loading CUDA; "none" when there is no driver

}  // namespace lmzoo
