// Shared by the fast and the plain element-wise steps.
#pragma once

#include <torch/types.h>

namespace lmzoo {

// The type of a norm's result: autocast's when it is on (never for float64), else x's.
torch::ScalarType norm_result_type(const torch::Tensor& x);

}  // namespace lmzoo
