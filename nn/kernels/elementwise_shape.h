// Shared by the fast and the plain element-wise steps.
#pragma once

#include "core/tensor.h"

namespace lmzoo {

// The type of a norm's result: autocast's when it is on (never for float64), else x's.
at::ScalarType norm_result_type(const at::Tensor& x);

}  // namespace lmzoo
