#include "nn/kernels/autocast.h"

#include <ATen/autocast_mode.h>

namespace lmzoo {

std::optional<at::ScalarType> autocast_type(at::Device device) {
  if (!at::autocast::is_autocast_available(device.type()) ||
      !at::autocast::is_autocast_enabled(device.type())) {
    return std::nullopt;
  }
  return at::autocast::get_autocast_dtype(device.type());
}

}  // namespace lmzoo
