#include "cli/version.h"

#include <ATen/Version.h>
#include <torch/version.h>

#include "base/check.h"
#include "base/version.h"
#include "core/cpu_setup.h"
#include "core/isa.h"

namespace lmzoo {

std::string version_details() {
#if defined(__clang__)
  const std::string compiler =
      fmt::format("clang {}.{}.{}", __clang_major__, __clang_minor__, __clang_patchlevel__);
#else
  const std::string compiler = fmt::format("g++ {}.{}.{}", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
#endif
  return fmt::format(
      "lmzoo {}\nLibTorch {}\ncompiler {}\ncpu {}, {}, kernels {}{}\ngpu {}\n",
      version(),
      TORCH_VERSION,
      compiler,
      cpu_name(),
      at::get_cpu_capability(),
      name_of(isa()),
      mkl_dispatch_changed() ? ", oneMKL told to use AVX-512 (LMZOO_MKL_DISPATCH=off to leave it)" : "",
      gpu_description());
}

}  // namespace lmzoo
