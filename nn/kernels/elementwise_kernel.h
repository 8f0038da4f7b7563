// The row kernels behind elementwise.h, without LibTorch: compiled once per instruction set.
//
// Matrices are [rows, width], contiguous. A `Numbers` holds float or bfloat16; everything is computed in
// float. Each call does rows [begin, end). Sums over rows (gradients of parameters) are added to `partial`,
// one piece a thread.
#pragma once

#include <cstdint>

#include "nn/kernels/dropout_mask.h"

namespace lmzoo {

struct Numbers {
  void* data = nullptr;
  bool half = false;  // bfloat16 instead of float
};

// sum = residual + dropout(x + bias), normed = norm(sum); without `residual` just x.
struct NormRows {
  int64_t width = 0;
  Numbers x;
  const float* bias = nullptr;
  const float* residual = nullptr;
  DropoutMask dropout;
  float* sum = nullptr;           // null: not kept (only for a plain norm, whose sum is x)
  bool rms = false;               // root mean square: no mean is taken off
  const float* weight = nullptr;  // null: no norm at all
  const float* norm_bias = nullptr;
  float eps = 0;
  Numbers normed;
  float* normed_stream = nullptr;      // a second copy of normed in float, or null
  float* mean = nullptr;               // [rows]
  float* inverse_deviation = nullptr;  // [rows]
};

// Gradients: of the stream, which is the sum or (`post`) its norm, and of normed; each may be absent.
struct NormRowsGradient {
  const float* stream = nullptr;
  Numbers normed;
  bool post = false;
  Numbers x;                  // out; may be absent
  float* residual = nullptr;  // out; may be absent
  // partial: [3, width], the gradients of bias, weight and norm_bias
};

enum class ActivationKind { relu, gelu, gelu_tanh, silu };

// out = dropout(f(x + bias)), or with `gated` dropout(f(gate) · value) of the halves of a row of x. The
// derivatives of out by x, dropout included, are kept instead of x: they are as large, and the backward pass
// is one multiplication.
struct ActivationRows {
  int64_t width = 0;  // of out
  bool gated = false;
  ActivationKind kind = ActivationKind::relu;
  Numbers x;                    // [rows, width], gated: [rows, 2 width]
  const float* bias = nullptr;  // as wide as x
  DropoutMask dropout;
  Numbers out;
  Numbers slopes;  // as x, or absent when no gradient is wanted
};

// dx = gradient of out · slopes.
struct ActivationGradientRows {
  int64_t width = 0;  // of gradient
  bool gated = false;
  Numbers gradient, slopes, dx;
  bool bias = false;  // partial: the gradient of bias, as wide as x
};

// out = dropout(x); a gradient is the same on gradients.
struct DropoutRows {
  int64_t width = 0;
  Numbers x, out;
  DropoutMask dropout;
};

// Rows of `heads` heads of `turned` of which the first are turned by cos, sin [rows, width / 2].
struct RotaryRows {
  int64_t heads = 0, turned = 0, width = 0;
  Numbers x, out;
  const float* cos = nullptr;
  const float* sin = nullptr;
  float direction = 1;  // -1 turns back: the gradient
  bool interleaved = false;
};

struct ElementwiseKernels {
  void (*norm)(const NormRows& rows, int64_t begin, int64_t end);
  void (*norm_gradient)(
      const NormRows& rows, const NormRowsGradient& gradient, int64_t begin, int64_t end, float* partial);
  void (*activate)(const ActivationRows& rows, int64_t begin, int64_t end);
  void (*activate_gradient)(const ActivationGradientRows& rows, int64_t begin, int64_t end, float* partial);
  void (*dropout)(const DropoutRows& rows, int64_t begin, int64_t end);
  void (*rotate)(const RotaryRows& rows, int64_t begin, int64_t end);
};

namespace generic {
ElementwiseKernels elementwise_kernels();
}
namespace avx2 {
ElementwiseKernels elementwise_kernels();
}
namespace avx512 {
ElementwiseKernels elementwise_kernels();
}

}  // namespace lmzoo
