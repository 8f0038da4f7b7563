// Preloaded by order.sh: stands in front of the function by which all of LibTorch asks for its CUDA part, and writes what
// the first question found into $LMZOO_HOOKS_LOG: "real" when the part was loaded by then; "stub" when it was not, so
// that LibTorch believes for the rest of the process that there is none.
#include <cstdio>
#include <cstdlib>
#include <mutex>

#include <ATen/detail/CUDAHooksInterface.h>
#include <dlfcn.h>

namespace at::detail {

__attribute__((visibility("default"))) const CUDAHooksInterface& getCUDAHooks() {
  using Function = const CUDAHooksInterface& (*)();
  static const auto original = reinterpret_cast<Function>(dlsym(RTLD_NEXT, "_ZN2at6detail12getCUDAHooksEv"));
  static std::once_flag first;
  std::call_once(first, [] {
    const bool loaded = dlopen("libtorch_cuda.so", RTLD_LAZY | RTLD_NOLOAD) != nullptr;
    const bool real = loaded && original().hasCUDART();
    if (std::FILE* log = std::fopen(std::getenv("LMZOO_HOOKS_LOG"), "a")) {
      std::fputs(real ? "real\n" : "stub\n", log);
      std::fclose(log);
    }
  });
  return original();
}

}  // namespace at::detail
