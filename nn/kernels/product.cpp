#include "nn/kernels/product.h"

#include <ATen/ops/linear.h>
#include <ATen/ops/mm.h>
#include <c10/core/impl/LocalDispatchKeySet.h>

#include "core/isa.h"

namespace lmzoo {
namespace {

Tensor wide(const Tensor& x) { return x.to(at::kFloat); }

// Autocast would narrow the arguments again.
using NoAutocast = c10::impl::ExcludeDispatchKeyGuard;
constexpr auto kAutocast = c10::DispatchKey::AutocastCPU;

Tensor widened_product(const Tensor& a, const Tensor& b) {
  const NoAutocast guard(kAutocast);
  return at::mm(wide(a), wide(b));
}

bool widens(const Tensor& x) { return x.scalar_type() == at::kBFloat16 && !multiplies_bfloat16(x.device()); }

}  // namespace

bool multiplies_bfloat16([[maybe_unused]] at::Device device) {
#if defined(__x86_64__)
  return !device.is_cpu() || isa() == Isa::avx512;
#else
  return true;  // LibTorch has kernels of its own for other processors
#endif
}

Tensor product(const Tensor& a, const Tensor& b) {
  return widens(a) ? widened_product(a, b).to(at::kBFloat16) : at::mm(a, b);
}

void add_product(const Tensor& into, const Tensor& a, const Tensor& b, double scale) {
  if (widens(a)) {
    into.add_(widened_product(a, b), scale);
  } else {
    into.addmm_(a, b, 1, scale);
  }
}

Tensor linear_product(const Tensor& x, const Tensor& weight, const std::optional<Tensor>& bias) {
  if (!widens(x)) {
    return at::linear(x, weight, bias);
  }
  const NoAutocast guard(kAutocast);
  const std::optional<Tensor> wide_bias = bias ? std::optional(wide(*bias)) : std::nullopt;
  return at::linear(wide(x), wide(weight), wide_bias).to(at::kBFloat16);
}

}  // namespace lmzoo
