#include "models/kernels/elementwise.h"

namespace lmzoo {

Tensor dropout(const Tensor& x, double p) { return reference::dropout(x, p); }
Tensor dropout_add(const ResidualUpdate& update) { return reference::dropout_add(update); }
Normed dropout_add_norm(const ResidualUpdate& update,
                        const NormParameters& parameters,
                        NormPlacement placement) {
  return reference::dropout_add_norm(update, parameters, placement);
}
Tensor norm(const Tensor& x, const NormParameters& parameters) { return reference::norm(x, parameters); }
Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps) {
  return reference::norm(x, {NormKind::layer, weight, bias, eps}).to(x.scalar_type());
}
Tensor rms_norm(const Tensor& x, const Tensor& weight, double eps) {
  return reference::norm(x, {NormKind::rms, weight, {}, eps}).to(x.scalar_type());
}
Tensor activate(const ActivationInputs& inputs, Activation kind) { return reference::activate(inputs, kind); }
Tensor gated(const ActivationInputs& inputs, Activation kind) { return reference::gated(inputs, kind); }
Tensor rotate(const Tensor& x, int64_t heads, const RotaryAngles& angles, RotaryLayout layout) {
  return reference::rotate(x, heads, angles, layout);
}

}  // namespace lmzoo
