#include "core/cpu_setup.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <dlfcn.h>
#include <unistd.h>

#include "base/check.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace lmzoo {
namespace {

#if defined(__x86_64__)
bool is_intel() {
  unsigned highest = 0, b = 0, c = 0, d = 0;
  return __get_cpuid(0, &highest, &b, &c, &d) != 0 && b == signature_INTEL_ebx && d == signature_INTEL_edx &&
         c == signature_INTEL_ecx;
}
bool has_avx512() {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx512f") != 0;
}
#else
bool is_intel() { return false; }
bool has_avx512() { return false; }
#endif

// libgomp ends the program when it gets no thread, so the threads are tried before it makes its own.
void check_threads(int64_t count) {
  std::vector<std::thread> made;
  std::atomic<bool> go_home{false};
  std::string reason;
  try {
    while (std::ssize(made) + 1 < count) {
      made.emplace_back([&] { go_home.wait(false); });
    }
  } catch (const std::exception& error) {
    reason = error.what();
  }
  go_home = true;
  go_home.notify_all();
  for (std::thread& thread : made) {
    thread.join();
  }
  check(reason.empty(),
        "asks for {} threads, but the system gives {} ({}); give fewer or raise its limit",
        count,
        made.size() + 1,
        reason);
}

// oneMKL's own answer: the function that ours stands in front of.
int original_answer() {
  using Function = int (*)();
  const auto original = reinterpret_cast<Function>(dlsym(RTLD_NEXT, "mkl_serv_intel_cpu_true"));
  return original != nullptr ? original() : static_cast<int>(is_intel());
}

std::string first_field(const std::string& path, const std::string& name) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(name)) {
      const size_t begin = line.find_first_not_of(" \t", line.find(':') + 1);
      return begin == std::string::npos ? "" : line.substr(begin);
    }
  }
  return "";
}

}  // namespace

bool mkl_dispatch_changed() {
  static const bool changed = [] {
    const char* choice = std::getenv("LMZOO_MKL_DISPATCH");
    const bool off = choice != nullptr && std::strcmp(choice, "off") == 0;
    return !off && !is_intel() && has_avx512();
  }();
  return changed;
}

void limit_spinning(char** argv) {
  if (std::getenv("GOMP_SPINCOUNT") != nullptr || std::getenv("OMP_WAIT_POLICY") != nullptr) {
    return;
  }
  // Long enough for two threads that end a product at about the same time (docs/performance.md).
  ::setenv("GOMP_SPINCOUNT", "20000", 1);
  ::execv("/proc/self/exe", argv);  // comes back only when it failed: then the default stays
}

int64_t set_up_cpu(int64_t threads) {
  check(threads >= 0 && threads <= kMostThreads,
        "train.threads is {}, but must be in [0, {}]",
        threads,
        kMostThreads);
  const char* choice = std::getenv("LMZOO_FLUSH_DENORMALS");
  const bool flush = choice == nullptr || std::string_view(choice) != "off";
  at::globalContext().setFlushDenormal(flush);
  // Asked before the first call changes it: LibTorch does not tell it afterwards.
  static const int usual = at::get_num_threads();
  const int64_t count = threads > 0 ? threads : std::min<int64_t>(usual, kMostThreads);
  check_threads(count);
  at::set_num_threads(static_cast<int>(count));
  at::parallel_for(0, count, 1, [flush](int64_t, int64_t) { at::globalContext().setFlushDenormal(flush); });
  return count;
}

std::string cpu_name() {
  const std::string name = first_field("/proc/cpuinfo", "model name");
  return name.empty() ? "unknown" : name;
}

std::string gpu_description() {
  std::string names;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/driver/nvidia/gpus", error)) {
    const std::string model = first_field((entry.path() / "information").string(), "Model");
    names += (names.empty() ? "" : ", ") + (model.empty() ? "unknown" : model);
  }
  return names.empty() ? "none" : names;
}

}  // namespace lmzoo

// Asked by oneMKL inside libtorch_cpu.so, possibly before main. See the header.
extern "C" __attribute__((visibility("default"))) int mkl_serv_intel_cpu_true() {
  return lmzoo::mkl_dispatch_changed() ? 1 : lmzoo::original_answer();
}
