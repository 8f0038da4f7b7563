// Tensor and the little of ATen that every file may use. Operators are included one by one (ATen/ops/NAME.h): all of
// them together, as torch/types.h has them, take five seconds of every unit's compilation.
#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>

namespace lmzoo {

using at::Tensor;

}  // namespace lmzoo
