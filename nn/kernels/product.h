// Matrix products in the type of their arguments, also where the processor has no instructions for bfloat16.
//
// LibTorch multiplies bfloat16 through oneDNN where there is AVX-512, and else number by number, which made a
// whole step 20 times slower (docs/performance.md). There the arguments are widened to float32, which is exact, multiplied, and the result
// is rounded: sums in float32 and one rounding at the end, which is what the instructions do.
//
// Legend: M, K, N sizes of a product.
#pragma once

#include <optional>

#include "core/tensor.h"

namespace lmzoo {

// Whether products in bfloat16 are left to LibTorch on this device.
bool multiplies_bfloat16(at::Device device);

at::Tensor product(const at::Tensor& a, const at::Tensor& b);  // [M, K] x [K, N] -> [M, N]
// into [M, N] += scale · a [M, K] b [K, N]
void add_product(const at::Tensor& into, const at::Tensor& a, const at::Tensor& b, double scale = 1);
// x [..., K], weight [N, K], bias [N] -> x weightᵀ + bias [..., N]
at::Tensor linear_product(const at::Tensor& x,
                          const at::Tensor& weight,
                          const std::optional<at::Tensor>& bias);

}  // namespace lmzoo
