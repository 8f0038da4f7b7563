#include "objectives/linear_cross_entropy.h"

namespace lmzoo {

CrossEntropy linear_cross_entropy(const Projection& projection,
                                  const Tensor& labels,
                                  double label_smoothing) {
  return linear_cross_entropy_reference(projection, labels, label_smoothing);
}

}  // namespace lmzoo
