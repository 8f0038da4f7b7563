#include "core/model.h"

#include <stdexcept>

namespace lmzoo {

Tensor Projection::logits() const {
  return bias.defined() ? torch::addmm(bias, rows, weight.t()) : torch::mm(rows, weight.t());
}

Tensor Model::pool(const Tensor&) { throw std::logic_error("this model has no pooler"); }

}  // namespace lmzoo
