#include "nn/attention_note.h"

#include <fmt/format.h>

#include "nn/attention.h"
#include "nn/kernels/attention_device.h"
#include "nn/positions.h"

namespace lmzoo {
namespace {

// The first reason that keeps a call from flash.
std::string reason_against_flash(const DeviceCall& call) {
  if (call.type == at::kFloat) {
    return "float32";
  }
  if (call.has_bias) {
    return "relative positions";
  }
  if (call.mask == MaskKind::prefix) {
    return "a prefix that is seen from both sides";
  }
  return fmt::format("heads of {}", call.head_width);
}

}  // namespace

std::string attention_note(const Model& model, MaskKind mask, at::ScalarType type) {
  bool has_bias = false;
  for (const auto& [name, module] : model.named_modules()) {
    has_bias |= dynamic_cast<const RelativeBias*>(module) != nullptr;
  }
  int64_t layers = 0, others = 0;
  std::string why;
  for (const auto& [name, module] : model.named_modules()) {
    const auto* attention = dynamic_cast<const SelfAttention*>(module);
    if (attention == nullptr) {
      continue;
    }
    const AttentionOptions& options = attention->options();
    const DeviceCall call{.type = type,
                          .head_width = options.shape.width,
                          .mask = options.mask.value_or(mask),
                          .has_window = options.window.has_value(),
                          .has_bias = has_bias};
    ++layers;
    if (device_kernel(call) == DeviceKernel::efficient && others++ == 0) {
      why = reason_against_flash(call);
    }
  }
  if (others == 0) {
    return "";
  }
  return fmt::format(
      "attention of {} of {} layers is padded and takes LibTorch's memory-efficient kernel, not flash: {}",
      others,
      layers,
      why);
}

}  // namespace lmzoo
