// Activations, gates, dropout and rotary positions, row by row. Included by one unit per instruction set.
#pragma once

#include "nn/kernels/elementwise_kernel.h"
#include "nn/kernels/norm_impl.h"
#include "nn/kernels/row_loop.h"

namespace lmzoo::LMZOO_ISA {

// f(x) and f'(x).
struct Activated {
  Vec value, slope;
};

struct Relu {
  static LMZOO_INLINE Activated at(Vec x) {
    const Int positive = x > 0.0f;
    return {select(positive, x, Vec{}), select(positive, splat(1.0f), Vec{})};
  }
};

LMZOO_INLINE Vec sigmoid(Vec x) { return reciprocal(1.0f + exp(min(-x, splat(84.0f)))); }

struct Silu {
  static LMZOO_INLINE Activated at(Vec x) {
    const Vec s = sigmoid(x);
    return {x * s, s + x * s * (1.0f - s)};
  }
};

struct GeluTanh {
  // ½ (1 + tanh u) = sigmoid(2u)
  static LMZOO_INLINE Activated at(Vec x) {
    constexpr float kTwice = 1.5957691216f;                     // 2 √(2/π)
    const Vec near = min(max(x, splat(-20.0f)), splat(20.0f));  // beyond, s is 0 or 1, but cubes overflow
    const Vec cubic = near * near * 0.044715f;
    const Vec s = sigmoid((near + near * cubic) * kTwice);
    return {x * s, s + near * s * (1.0f - s) * (1.0f + 3.0f * cubic) * kTwice};
  }
};

struct Gelu {
  // The tail of the normal distribution by Abramowitz and Stegun 7.1.26: absolute error below 1e-7, and it
  // shares its exponential with the density.
  static LMZOO_INLINE Activated at(Vec x) {
    const Vec magnitude = max(x, -x);
    const Vec bell = exp(x * x * -0.5f);
    const Vec t = reciprocal(1.0f + min(magnitude, splat(1e6f)) * 0.23164189f);  // 0.3275911 / √2
    Vec p = splat(1.061405429f);
    p = p * t - 1.453152027f;
    p = p * t + 1.421413741f;
    p = p * t - 0.284496736f;
    p = p * t + 0.254829592f;
    const Vec tail = p * t * bell * 0.5f;
    const Vec below = select(x < 0.0f, tail, 1.0f - tail);
    return {x * below, below + x * bell * 0.3989422804f};
  }
};

// Calls body with the activation as a type.
template <class Body>
LMZOO_INLINE void with_activation(ActivationKind kind, const Body& body) {
  switch (kind) {
    case ActivationKind::relu:
      return body(Relu{});
    case ActivationKind::gelu:
      return body(Gelu{});
    case ActivationKind::gelu_tanh:
      return body(GeluTanh{});
    case ActivationKind::silu:
      return body(Silu{});
  }
}

template <class Number, class Part>
LMZOO_INLINE Vec biased(const Number* x, const float* bias, int64_t j, Part part) {
  return bias == nullptr ? load(x + j, part) : load(x + j, part) + load(bias + j, part);
}

template <class Number, class Function, bool kDrop, bool kSlopes>
void activate_row(const ActivationRows& r, int64_t row) {
  const int64_t x_width = r.gated ? 2 * r.width : r.width;
  const Number* x = row_at<Number>(r.x, row, x_width);
  Number* out = row_at<Number>(r.out, row, r.width);
  Number* slopes = kSlopes ? row_at<Number>(r.slopes, row, x_width) : nullptr;
  for_each_vector<kDrop>(r.width, r.dropout, row, [&](int64_t j, auto part, Vec factor) LMZOO_INLINE_LAMBDA {
    const Activated gate = Function::at(biased(x, r.bias, j, part));
    Vec value = gate.value * factor;
    Vec slope = gate.slope * factor;
    if (r.gated) {
      const Vec other = biased(x, r.bias, r.width + j, part);
      if constexpr (kSlopes) {
        store(slopes + r.width + j, value, part);
      }
      value = value * other;
      slope = slope * other;
    }
    store(out + j, value, part);
    if constexpr (kSlopes) {
      store(slopes + j, slope, part);
    }
  });
}

template <class Number, class Function, bool kSlopes>
void activate_rows(const ActivationRows& r, int64_t begin, int64_t end) {
  const bool drop = r.dropout.threshold > 0;
  for (int64_t row = begin; row < end; ++row) {
    (drop ? activate_row<Number, Function, true, kSlopes>
          : activate_row<Number, Function, false, kSlopes>)(r, row);
  }
}

inline void activate(const ActivationRows& r, int64_t begin, int64_t end) {
  with_number(r.x.half, [&](auto number) {
    with_activation(r.kind, [&](auto function) {
      using Number = decltype(number);
      using Function = decltype(function);
      const bool slopes = r.slopes.data != nullptr;
      (slopes ? activate_rows<Number, Function, true>
              : activate_rows<Number, Function, false>)(r, begin, end);
    });
  });
}

template <class Number>
void activate_gradient_row(const ActivationGradientRows& r, int64_t row, float* partial) {
  const int64_t x_width = r.gated ? 2 * r.width : r.width;
  const Number* slopes = row_at<Number>(r.slopes, row, x_width);
  const Number* gradients = row_at<Number>(r.gradient, row, r.width);
  Number* dx = row_at<Number>(r.dx, row, x_width);
  for (int64_t first = 0; first < x_width; first += r.width) {  // one half after the other
    for_each_vector(r.width, [&](int64_t j, auto part) LMZOO_INLINE_LAMBDA {
      const Vec gradient = load(gradients + j, part) * load(slopes + first + j, part);
      store(dx + first + j, gradient, part);
      if (r.bias) {
        add(partial + first + j, gradient, part);
      }
    });
  }
}

inline void activate_gradient(const ActivationGradientRows& r, int64_t begin, int64_t end, float* partial) {
  with_number(r.slopes.half, [&](auto number) {
    for (int64_t row = begin; row < end; ++row) {
      activate_gradient_row<decltype(number)>(r, row, partial);
    }
  });
}

inline void dropout(const DropoutRows& r, int64_t begin, int64_t end) {
  with_number(r.x.half, [&](auto number) {
    using Number = decltype(number);
    for (int64_t row = begin; row < end; ++row) {
      const Number* x = row_at<Number>(r.x, row, r.width);
      Number* out = row_at<Number>(r.out, row, r.width);
      for_each_vector<true>(
          r.width, r.dropout, row, [&](int64_t j, auto part, Vec factor) LMZOO_INLINE_LAMBDA {
            store(out + j, load(x + j, part) * factor, part);
          });
    }
  });
}

template <class Number>
void rotate_head(const RotaryRows& r, int64_t row, const Number* x, Number* out) {
  const int64_t half = r.width / 2;
  const float* cos = r.cos + row * half;
  const float* sin = r.sin + row * half;
  if (r.interleaved) {
    for (int64_t i = 0; i < half; ++i) {
      const float a = to_float(x[2 * i]);
      const float b = to_float(x[2 * i + 1]);
      const float s = sin[i] * r.direction;
      store_one(out + 2 * i, a * cos[i] - b * s);
      store_one(out + 2 * i + 1, b * cos[i] + a * s);
    }
    return;
  }
  for_each_vector(half, [&](int64_t i, auto part) LMZOO_INLINE_LAMBDA {
    const Vec a = load(x + i, part);
    const Vec b = load(x + half + i, part);
    const Vec c = load(cos + i, part);
    const Vec s = load(sin + i, part) * r.direction;
    store(out + i, a * c - b * s, part);
    store(out + half + i, b * c + a * s, part);
  });
}

inline void rotate(const RotaryRows& r, int64_t begin, int64_t end) {
  with_number(r.x.half, [&](auto number) {
    using Number = decltype(number);
    for (int64_t row = begin; row < end; ++row) {
      const Number* x = row_at<Number>(r.x, row, r.heads * r.width);
      Number* out = row_at<Number>(r.out, row, r.heads * r.width);
      for (int64_t head = 0; head < r.turned; ++head) {
        rotate_head(r, row, x + head * r.width, out + head * r.width);
      }
      std::memcpy(out + r.turned * r.width,
                  x + r.turned * r.width,
                  static_cast<size_t>((r.heads - r.turned) * r.width) * sizeof(Number));
    }
  });
}

ElementwiseKernels elementwise_kernels() {
  return {norm_forward, norm_gradient, activate, activate_gradient, dropout, rotate};
}

}  // namespace lmzoo::LMZOO_ISA
