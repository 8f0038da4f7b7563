#include "core/model.h"

namespace lmzoo {

Tensor Projection::logits() const {
  return bias.defined() ? torch::addmm(bias, rows, weight.t()) : torch::mm(rows, weight.t());
}

}  // namespace lmzoo
