#include "nn/norm.h"

#include "nn/parameter.h"

namespace lmzoo {

Norm::Norm(NormKind kind, int64_t width, double eps)
    : weight(register_parameter("weight", new_parameter({width}))), kind_(kind), eps_(eps) {
  if (kind == NormKind::layer) {
    bias = register_parameter("bias", new_parameter({width}));
  }
}

}  // namespace lmzoo
