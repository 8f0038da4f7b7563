// y = x Wᵀ + b for packed batches, whose number of rows is another one at every step.
//
// Legend: R rows, I inputs, O outputs, r rank of an addition to O' of the outputs.
//
// oneDNN, which multiplies bfloat16 on the CPU, compiles a kernel for every new shape; forward and backward
// that is 2 ms a linear map, at the small recipes a quarter of its whole time. So bfloat16 products get their
// rows rounded up with zeros, to shapes that come again. Processors without such instructions widen
// (nn/kernels/product.h). Everything else is at::linear: float32 goes to oneMKL, which compiles nothing.
#pragma once

#include <cstdint>
#include <span>

#include "core/tensor.h"

namespace lmzoo {

// x [..., I], weight [O, I], bias [O] or undefined -> [..., O]. Under autocast in its type, as at::linear.
at::Tensor linear_rows(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias);

// A low-rank addition (nn/low_rank.h) to the outputs from `first` on: scale · (x aᵀ) bᵀ.
struct LowRankTerm {
  at::Tensor x;  // [R, I]: what the map reads, or that after dropout
  at::Tensor a;  // [r, I]
  at::Tensor b;  // [O', r]
  int64_t first = 0;
  double scale = 1;
};

// linear_rows of x [R, I] and additions to parts of its output, in one node of the graph: nothing of the
// output's size is made twice, and a weight that needs no gradient costs no product for it.
at::Tensor adapted_linear_rows(const at::Tensor& x,
                               const at::Tensor& weight,
                               const at::Tensor& bias,
                               std::span<const LowRankTerm> terms);

}  // namespace lmzoo
