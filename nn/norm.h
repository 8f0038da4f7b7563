// LayerNorm (Ba et al. 2016) and RMSNorm (Zhang & Sennrich 2019) as modules over the fused kernels.
//
// Legend: R rows (all leading dimensions), D width.
#pragma once

#include <cstdint>
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

// What of a norm is trained.
enum class NormWeights {
  all,      // the weight and, of a layer norm, the bias
  no_bias,  // ModernBERT's layer norms
  none,     // OLMo's layer norms, the RMS norms of nanochat
};

struct NormOptions {
  NormKind kind = NormKind::layer;
  int64_t width = 0;  // D
  double eps = 1e-5;  // added to the variance, or to the mean square
  NormWeights weights = NormWeights::all;
};

class Norm : public Module {
 public:
  explicit Norm(const NormOptions& options);

  Tensor forward(const Tensor& x) const { return norm(x, kernel()); }  // [R, D] -> [R, D]
  NormParameters kernel() const {
    return {.kind = options_.kind, .weight = weight, .bias = bias, .eps = options_.eps};
  }

  Tensor weight;  // [D]; undefined without weights
  Tensor bias;    // [D]; undefined for rms and without

 private:
  NormOptions options_;
};

}  // namespace lmzoo
