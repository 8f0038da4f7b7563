#include "core/device.h"

#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <stdexcept>

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <dlfcn.h>

#include "base/check.h"
#include "base/strings.h"

namespace lmzoo {
namespace {

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

// Empty when CUDA can be used from now on, else why not.
std::string load_cuda() {
  const std::string library = (torch_folder() / "libtorch_cuda.so").string();
  if (dlopen(library.c_str(), RTLD_NOW | RTLD_GLOBAL) == nullptr) {
    const char* reason = dlerror();
    return fmt::format("this LibTorch has no CUDA part that can be loaded ({})",
                       reason != nullptr ? reason : library);
  }
  // Stand-ins answer no here: LibTorch was asked before, found no CUDA part and will not look again.
  if (!at::detail::getCUDAHooks().hasCUDART()) {
    throw std::logic_error("LibTorch was asked about accelerators before a device was chosen");
  }
  return "";
}

int gpu_count() { return at::globalContext().hasCUDA() ? at::detail::getCUDAHooks().deviceCount() : 0; }

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

DeviceChoice available_device(const DeviceRequest& request) {
  const std::string& name = request.name;
  if (name == "cpu") {
    return {};
  }
  const bool wanted = name != "auto";
  if (!has_nvidia_driver()) {
    check(!wanted, "device {} needs an NVIDIA driver, and this machine has none (libcuda.so.1)", name);
    return {.device = c10::kCPU, .note = "device: cpu (no NVIDIA driver here)"};
  }
  if (request.deterministic) {
    // cuBLAS adds in a fixed order only with workspaces of a fixed size, and reads this when it is set up. LibTorch
    // refuses other values than this one and :16:8, so a user's own choice stays.
    ::setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", 0);
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

void seed_generator(uint64_t seed, c10::Device device) {
  at::Generator generator = at::globalContext().defaultGenerator(device);
  const std::lock_guard lock(generator.mutex());
  generator.set_current_seed(seed);
}

}  // namespace

void check_device_name(const std::string& name) {
  if (name != "auto" && name != "cpu" && gpu_index(name) < 0) {
    throw InputError(fmt::format("no device '{}'; legal: auto, cpu, cuda, cuda:N with N from 0{}",
                                 name,
                                 suggestion(name, {"auto", "cpu", "cuda"})));
  }
}

DeviceChoice choose_device(const DeviceRequest& request) {
  check_device_name(request.name);
  const DeviceChoice choice = available_device(request);
  const bool deterministic = request.deterministic && choice.device.is_cuda();
  at::globalContext().setDeterministicAlgorithms(deterministic, /*warn_only=*/false);
  // It would fill every new tensor, to expose reads of what nobody wrote.
  at::globalContext().setDeterministicFillUninitializedMemory(false);
  return choice;
}

void seed_generators(uint64_t seed, c10::Device device) {
  seed_generator(seed, c10::kCPU);
  if (!device.is_cpu()) {
    seed_generator(seed, device);
  }
}

Tensor sent(const Tensor& tensor, c10::Device device) {
  if (!tensor.defined()) {
    return tensor;
  }
  const bool crosses = tensor.is_cpu() && device.is_cuda();
  return (crosses ? tensor.pin_memory() : tensor).to(device, /*non_blocking=*/crosses);
}

}  // namespace lmzoo
