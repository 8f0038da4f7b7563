// LayerNorm (Ba et al. 2016) and RMSNorm (Zhang & Sennrich 2019) as modules over the fused kernels.
#pragma once

#include <string_view>
#include <utility>

#include "base/fields.h"
#include "core/module.h"
#include "nn/kernels/elementwise.h"

namespace lmzoo {

template <>
struct EnumNames<NormKind> {
  static constexpr std::pair<NormKind, std::string_view> values[] = {{NormKind::layer, "layer"},
                                                                     {NormKind::rms, "rms"}};
};

class Norm : public Module {
 public:
  Norm(NormKind kind, int64_t width, double eps);

  Tensor forward(const Tensor& x) const { return norm(x, kernel()); }  // [N, D] -> [N, D]
  NormParameters kernel() const { return {.kind = kind_, .weight = weight, .bias = bias, .eps = eps_}; }

  Tensor weight;  // [D]
  Tensor bias;    // [D]; undefined for rms

 private:
  NormKind kind_;
  double eps_;
};

}  // namespace lmzoo
