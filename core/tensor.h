// Tensor and the little of ATen that every file may use. Operators are included one by one (ATen/ops/NAME.h): all of
// them together, as torch/types.h has them, take five seconds of every unit's compilation.
#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <c10/core/TensorOptions.h>

namespace lmzoo {

using at::Tensor;

// Where a tensor that the CPU itself fills or reads is made. Steps say where every tensor is to be: what is told
// nothing lands on the CPU, also on a GPU's way (tests/train/loop/devices_test.cpp).
inline at::TensorOptions on_cpu(at::ScalarType type) { return at::TensorOptions(type).device(at::kCPU); }

}  // namespace lmzoo
