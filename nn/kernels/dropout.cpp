#include "nn/kernels/dropout.h"

#include <algorithm>
#include <cmath>
#include <mutex>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/empty.h>

#include "base/check.h"

namespace lmzoo {

DropoutMask draw_dropout(double p) {
  check(p >= 0 && p < 1, "a dropout probability is {:g} but must be in [0, 1)", p);
  const auto threshold = std::min<long>(std::lround(p * 65536), 65535);
  if (threshold == 0) {
    return {};
  }
  at::Generator generator = at::detail::getDefaultCPUGenerator();
  const std::lock_guard lock(generator.mutex());
  return {.seed = generator.get<at::CPUGeneratorImpl>()->random64(),
          .threshold = static_cast<uint32_t>(threshold),
          .scale = 65536.0f / static_cast<float>(65536 - threshold)};
}

at::Tensor dropout_factors(const DropoutMask& mask, int64_t rows, int64_t columns) {
  at::Tensor factors = at::empty({rows, columns}, on_cpu(at::kFloat));
  auto* factor = factors.data_ptr<float>();
  for (int64_t r = 0; r < rows; ++r) {
    const DropoutRow row = dropout_row(mask.seed, static_cast<uint64_t>(r));
    for (int64_t c = 0; c < columns; ++c) {
      const auto group = static_cast<uint32_t>(c / kDropoutGroup);
      const auto within = static_cast<uint32_t>(c % kDropoutGroup);
      const uint32_t bits = dropout_bits(row, group * 16 + within % 16);
      const uint32_t lane = within < 16 ? bits & 0xffffu : bits >> 16;
      *factor++ = lane < mask.threshold ? 0.0f : mask.scale;
    }
  }
  return factors;
}

}  // namespace lmzoo
