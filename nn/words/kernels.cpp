#include "nn/words/kernels.h"

#include <array>
#include <cmath>

#include "core/isa.h"

namespace lmzoo {

namespace generic {
const WordKernels& word_kernels();
}
namespace avx2 {
const WordKernels& word_kernels();
}
namespace avx512 {
const WordKernels& word_kernels();
}

const WordKernels& word_kernels() { return LMZOO_BEST_ISA(word_kernels()); }

const float* sigmoid_table() {
  constexpr int kCells = 1000;
  static const std::array<float, kCells> table = [] {
    std::array<float, kCells> made{};
    for (int i = 0; i < kCells; ++i) {
      const double power = std::exp((static_cast<double>(i) / kCells * 2 - 1) * 6);
      made[static_cast<size_t>(i)] = static_cast<float>(power / (power + 1));
    }
    return made;
  }();
  return table.data();
}

}  // namespace lmzoo
