#include "core/cpu_setup.h"

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <vector>

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <dlfcn.h>
#include <unistd.h>

#include "base/check.h"
#include "core/registry.h"

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

// oneMKL's own answer: the function that ours stands in front of.
int original_answer() {
  using Function = int (*)();
  const auto original = reinterpret_cast<Function>(dlsym(RTLD_NEXT, "mkl_serv_intel_cpu_true"));
  return original != nullptr ? original() : static_cast<int>(is_intel());
}

// The folder that LibTorch was loaded from.
std::filesystem::path torch_folder() {
  Dl_info info{};
  const auto known = reinterpret_cast<const void*>(&at::get_num_threads);
  return dladdr(known, &info) != 0 && info.dli_fname != nullptr
             ? std::filesystem::path(info.dli_fname).parent_path()
             : std::filesystem::path();
}

bool has_nvidia_driver() {
  static const bool found = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL) != nullptr;
  return found;
}

// Empty when CUDA can be used from now on, else why not. LibTorch looks for its CUDA part at the first
// question about it and remembers the answer, so this must come before.
std::string load_cuda() {
  const std::string library = (torch_folder() / "libtorch_cuda.so").string();
  if (dlopen(library.c_str(), RTLD_NOW | RTLD_GLOBAL) == nullptr) {
    const char* reason = dlerror();
    return fmt::format("this LibTorch has no CUDA part that can be loaded ({})",
                       reason != nullptr ? reason : library);
  }
  return "";
}

int gpu_count() { return at::globalContext().hasCUDA() ? at::detail::getCUDAHooks().deviceCount() : 0; }

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

// The number of "cuda:3"; 0 for "cuda"; below 0 for another text.
int gpu_index(const std::string& name) {
  if (name == "cuda") {
    return 0;
  }
  int index = -1;
  const std::string prefix = "cuda:";
  if (name.starts_with(prefix)) {
    const char* end = name.data() + name.size();
    const auto [stop, error] = std::from_chars(name.data() + prefix.size(), end, index);
    return error == std::errc{} && stop == end && index < 128 ? index : -1;
  }
  return -1;
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
  check(threads >= 0 && threads <= 4096, "train.threads is {}, but must be in [0, 4096]", threads);
  const char* choice = std::getenv("LMZOO_FLUSH_DENORMALS");
  const bool flush = choice == nullptr || std::string_view(choice) != "off";
  at::globalContext().setFlushDenormal(flush);
  // Asked before the first call changes it: LibTorch does not tell it afterwards.
  static const int usual = at::get_num_threads();
  const int64_t count = threads > 0 ? threads : usual;
  at::set_num_threads(static_cast<int>(count));
  at::parallel_for(0, count, 1, [flush](int64_t, int64_t) { at::globalContext().setFlushDenormal(flush); });
  return count;
}

void check_device_name(const std::string& name) {
  if (name != "auto" && name != "cpu" && gpu_index(name) < 0) {
    throw InputError(fmt::format("no device '{}'; legal: auto, cpu, cuda, cuda:N with N from 0{}",
                                 name,
                                 suggestion(name, {"auto", "cpu", "cuda"})));
  }
}

DeviceChoice choose_device(const std::string& name) {
  check_device_name(name);
  if (name == "cpu") {
    return {};
  }
  const bool wanted = name != "auto";
  if (!has_nvidia_driver()) {
    check(!wanted, "device {} needs an NVIDIA driver, and this machine has none (libcuda.so.1)", name);
    return {.device = c10::kCPU, .note = "device: cpu (no NVIDIA driver here)"};
  }
  const std::string failure = load_cuda();
  check(failure.empty(), "device {}: {}; choose cpu, or install a LibTorch with CUDA", name, failure);
  const int count = gpu_count();
  if (count == 0 && !wanted) {
    return {.device = c10::kCPU, .note = "device: cpu (the NVIDIA driver shows no GPU)"};
  }
  const int index = wanted ? gpu_index(name) : 0;
  check(index < count, "device {} is not there: this machine shows {} GPUs, counted from 0", name, count);
  return {.device = c10::Device(c10::kCUDA, static_cast<c10::DeviceIndex>(index)), .note = ""};
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
