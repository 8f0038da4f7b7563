// Everything of a transformer block that is no matrix product, each in one pass forward and one backward:
// dropout, residual sums, normalization, activations, rotary positions.
//
// Legend: R rows (all leading dimensions), D width, F feed-forward width.
//
// Types: x is float32, bfloat16 (under autocast) or float64; residuals and parameters are float32 (float64
// with float64). `dropout` is a probability; pass 0 outside of training. Masks are functions of a seed that
// is drawn once a call from LibTorch's CPU generator (dropout_mask.h): nothing is stored, at::manual_seed
// determines them, and the plain reference drops the same elements. On CUDA LibTorch's own operators and
// generator serve.
#pragma once

#include <cstdint>

#include <ATen/Context.h>

#include "core/tensor.h"

namespace lmzoo {

enum class NormKind { layer, rms };

struct NormParameters {
  NormKind kind = NormKind::layer;
  Tensor weight;  // [D]; undefined: all ones
  Tensor bias{};  // [D] or undefined
  double eps = 1e-5;
};

enum class Activation {
  relu,
  gelu,       // x Φ(x), by erf
  gelu_tanh,  // GPT-2, T5 v1.1
  silu,
};

enum class RotaryLayout {
  halves,       // (x[i], x[i + Dh/2]) turn together: GPT-NeoX, Hugging Face
  interleaved,  // (x[2i], x[2i+1]): GPT-J, LLaMA's own code
};

// What a sublayer adds to the residual stream: residual + dropout(x + bias).
struct ResidualUpdate {
  Tensor x;  // [..., D]
  Tensor
      bias;  // [D] or undefined: of the linear map that made x (its own bias left out saves a pass each way)
  Tensor residual;  // [..., D]
  double dropout = 0;
};

struct Normed {
  Tensor
      stream;  // the residual stream: the sum, or with NormPlacement::post norm(sum); in the residual's type
  Tensor normed;  // norm(sum), in autocast's type when autocast is on, so that the next product needs no cast
};

enum class NormPlacement {
  pre,   // the stream is never normalized itself: GPT-2, T5, LLaMA
  post,  // the stream is what the norm gives: BERT
};

// [..., D] -> [..., D]; elements survive with probability 1 - p and are divided by it.
Tensor dropout(const Tensor& x, double p);

Tensor dropout_add(const ResidualUpdate& update);
Normed dropout_add_norm(const ResidualUpdate& update,
                        const NormParameters& parameters,
                        NormPlacement placement = NormPlacement::pre);

// Normalization over the last dimension, computed in float32; the result has autocast's type when autocast is
// on.
Tensor norm(const Tensor& x, const NormParameters& parameters);
Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps);
Tensor rms_norm(const Tensor& x, const Tensor& weight, double eps);

// dropout(f(x + bias)); bias [F] may be undefined.
struct ActivationInputs {
  Tensor x;  // [..., F]; for `gated` [..., 2F]: the gate's half first
  Tensor bias{};
  double dropout = 0;
};
Tensor activate(const ActivationInputs& inputs, Activation kind);  // -> [..., F]
// dropout(f(gate) · value), (gate, value) = halves of x + bias: GEGLU, SwiGLU, ReGLU. -> [..., F]
Tensor gated(const ActivationInputs& inputs, Activation kind);

// Turns the first `heads` heads of x [N, T, Dh] by the angles of their positions and passes the others on, so
// that a merged q, k, v projection turns q and k in one call. cos, sin: [N, Dh/2] float32, no gradient.
struct RotaryAngles {
  Tensor cos, sin;
};
Tensor rotate(const Tensor& x, int64_t heads, const RotaryAngles& angles, RotaryLayout layout);

// The same by plain operators with the same dropped elements (same state of LibTorch's generator): tests,
// float64.
namespace reference {
Tensor dropout(const Tensor& x, double p);
Tensor dropout_add(const ResidualUpdate& update);
Normed dropout_add_norm(const ResidualUpdate& update,
                        const NormParameters& parameters,
                        NormPlacement placement);
Tensor norm(const Tensor& x, const NormParameters& parameters);
Tensor activate(const ActivationInputs& inputs, Activation kind);
Tensor gated(const ActivationInputs& inputs, Activation kind);
Tensor rotate(const Tensor& x, int64_t heads, const RotaryAngles& angles, RotaryLayout layout);
}  // namespace reference

}  // namespace lmzoo
