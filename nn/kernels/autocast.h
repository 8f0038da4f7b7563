// LibTorch's autocast, as the steps of nn/kernels ask for it.
#pragma once

#include <optional>

#include "core/tensor.h"

namespace lmzoo {

// The type that products on this device are computed in under autocast; nothing when it is off, or when such
// a device knows none (meta).
std::optional<at::ScalarType> autocast_type(at::Device device);

}  // namespace lmzoo
