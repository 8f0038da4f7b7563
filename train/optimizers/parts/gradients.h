// What every rule does to gradients before it uses them, as tensors that nothing waits for.
#pragma once

#include <span>

#include "core/optimizer.h"

namespace lmzoo {

// Global 2-norm of float32 tensors, [] on their device, without waiting for it. On the CPU one parallel pass
// with the same bits for any number of threads.
Tensor global_norm(std::span<const Tensor> tensors);

struct Judgment {
  Optimizer::Update update;
  Tensor divisor;  // [] float32 of gradients: the number of labels, times what clipping asks for
};
// `gradients`: sums over `count` labels (0: of none, and nothing is divided).
Judgment judge(std::span<const Tensor> gradients, double count, const Tensor& loss, double clip_norm);

}  // namespace lmzoo
