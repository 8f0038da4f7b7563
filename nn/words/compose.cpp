#include "nn/words/compose.h"

#include "core/isa.h"

namespace lmzoo {

namespace generic {
const ComposeKernels& compose_kernels();
}
namespace avx2 {
const ComposeKernels& compose_kernels();
}
namespace avx512 {
const ComposeKernels& compose_kernels();
}

const ComposeKernels& compose_kernels() { return LMZOO_BEST_ISA(compose_kernels()); }

}  // namespace lmzoo
