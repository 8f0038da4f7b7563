#include "nn/low_rank.h"

#include <cmath>

#include <ATen/core/grad_mode.h>

#include "nn/parameter.h"

namespace lmzoo {

LowRank::LowRank(const LowRankShape& shape_, const LowRankOptions& options_)
    : shape(shape_),
      options(options_),
      a(register_parameter("a", new_parameter({options_.rank, shape_.inputs}))),
      b(register_parameter("b", new_parameter({shape_.rows, options_.rank}))) {
  const at::NoGradGuard no_grad;
  const double bound = 1 / std::sqrt(static_cast<double>(shape.inputs));
  a.uniform_(-bound, bound);
  b.zero_();
}

Tensor LowRank::product() const { return b.mm(a).mul_(options.scale); }

}  // namespace lmzoo
