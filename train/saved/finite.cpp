#include "train/saved/finite.h"

#include <ATen/ops/aminmax.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/stack.h>

#include "base/check.h"

namespace lmzoo {

void check_finite(const NamedTensors& weights, const SavePoint& at) {
  const at::NoGradGuard no_grad;
  std::vector<Tensor> spans;
  for (const NamedTensor& entry : weights) {
    if (entry.tensor.numel() > 0 && entry.tensor.is_floating_point()) {
      const auto [low, high] = at::aminmax(entry.tensor);  // NaN when there is one
      spans.push_back(low.to(at::kDouble) - high.to(at::kDouble));
    }
  }
  if (spans.empty() || at::stack(spans).sum().isfinite().item<bool>()) {
    return;
  }
  for (const NamedTensor& entry : weights) {
    check(
        !entry.tensor.is_floating_point() || entry.tensor.isfinite().all().item<bool>(),
        "step {}: {} is no longer finite, so nothing is saved; {}. A lower optimizer.lr, a longer warm-up or "
        "clip_norm may help",
        at.step,
        entry.name,
        at.saved > 0 ? fmt::format("the checkpoint of step {} stays", at.saved)
                     : "there is no checkpoint yet");
  }
}

}  // namespace lmzoo
