#include "cli/version.h"

#include <ATen/Version.h>
#include <torch/version.h>

#include "base/check.h"
#include "core/cpu_setup.h"
#include "core/isa.h"

namespace lmzoo {

std::string version() { return LMZOO_VERSION; }

std::string version_details() {
#if defined(__clang__)
  const std::string compiler =
      concat("clang ", __clang_major__, ".", __clang_minor__, ".", __clang_patchlevel__);
#else
  const std::string compiler = concat("g++ ", __GNUC__, ".", __GNUC_MINOR__, ".", __GNUC_PATCHLEVEL__);
#endif
  return concat(
      "lmzoo ",
      version(),
      "\nLibTorch ",
      TORCH_VERSION,
      "\ncompiler ",
      compiler,
      "\ncpu ",
      cpu_name(),
      ", ",
      at::get_cpu_capability(),
      ", kernels ",
      name_of(isa()),
      mkl_dispatch_changed() ? ", oneMKL told to use AVX-512 (LMZOO_MKL_DISPATCH=off to leave it)" : "",
      "\ngpu ",
      gpu_description(),
      "\n");
}

}  // namespace lmzoo
