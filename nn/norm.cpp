#include "nn/norm.h"

#include "nn/parameter.h"

namespace lmzoo {

Norm::Norm(const NormOptions& options) : options_(options) {
  if (options.weights != NormWeights::none) {
    weight = register_parameter("weight", new_parameter({options.width}));
  }
  if (options.weights == NormWeights::all && options.kind == NormKind::layer) {
    bias = register_parameter("bias", new_parameter({options.width}));
  }
}

}  // namespace lmzoo
