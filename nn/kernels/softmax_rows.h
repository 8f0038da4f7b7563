// Cross-entropy of rows of logits with their gradient in place, without LibTorch: compiled once per
// instruction set.
#pragma once

#include <cstdint>

namespace lmzoo {

// Legend: K rows, V classes. Logits are float, or bfloat16 when `half`; everything is computed in float.
struct SoftmaxRows {
  void* logits = nullptr;  // [K, V]; becomes its gradient when `gradient`
  bool half = false;
  bool gradient = false;
  int64_t classes = 0;              // V
  const float* bias = nullptr;      // [V], added to every row, or null
  const int64_t* labels = nullptr;  // [K] in [0, V)
  const float* weights = nullptr;   // [K], of each row's loss, or null: all 1
  float smoothing = 0;
  float z_loss = 0;
  float* losses = nullptr;     // [K] out
  int64_t* correct = nullptr;  // [K] out: 1 when the first largest logit is the label's
};

struct SoftmaxKernels {
  // Rows [begin, end). Column sums of the gradient are added to bias_gradient [V] when there is a bias.
  void (*rows)(const SoftmaxRows& rows, int64_t begin, int64_t end, float* bias_gradient);
  // to = from · factor, elements [begin, end); `half` as above for `from`.
  void (*scale)(const void* from, bool half, float factor, float* to, int64_t begin, int64_t end);
};

namespace generic {
SoftmaxKernels softmax_kernels();
}
namespace avx2 {
SoftmaxKernels softmax_kernels();
}
namespace avx512 {
SoftmaxKernels softmax_kernels();
}

}  // namespace lmzoo
