// y = x Wᵀ + b for packed batches, whose number of rows is another one at every step.
//
// oneDNN, which multiplies bfloat16 on the CPU, compiles a kernel for every new shape; forward and backward
// that is 2 ms a linear map, at the small recipes a quarter of its whole time. So bfloat16 products get their
// rows rounded up with zeros, to shapes that come again. Everything else is at::linear: float32 goes to
// oneMKL, which compiles nothing.
#pragma once

#include <torch/types.h>

namespace lmzoo {

// x [..., I], weight [O, I], bias [O] or undefined -> [..., O]. Under autocast in its type, as at::linear.
torch::Tensor linear_rows(const torch::Tensor& x, const torch::Tensor& weight, const torch::Tensor& bias);

}  // namespace lmzoo
