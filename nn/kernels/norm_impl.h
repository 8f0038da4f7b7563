// Residual sums and norms, row by row. Included by one unit per instruction set.
#pragma once

#include "nn/kernels/elementwise_kernel.h"
#include "nn/kernels/row_loop.h"

namespace lmzoo::LMZOO_ISA {

// A number type per template argument from the flags of a call.
template <class Body>
LMZOO_INLINE void with_number(bool half, const Body& body) {
  half ? body(BFloat{}) : body(float{});
}

template <class Number>
LMZOO_INLINE Number* row_at(const Numbers& numbers, int64_t row, int64_t width) {
  return static_cast<Number*>(numbers.data) + row * width;
}
LMZOO_INLINE float* row_at(float* base, int64_t row, int64_t width) { return base + row * width; }
LMZOO_INLINE const float* row_at(const float* base, int64_t row, int64_t width) {
  return base == nullptr ? nullptr : base + row * width;
}

LMZOO_INLINE float square_root(float x) { return __builtin_sqrtf(x); }

// normed = (s - mean) · inverse deviation · weight + bias for one row of sums.
template <class Sum, class Normed>
void normalize_row(const NormRows& r, int64_t row, const Sum* sums) {
  const float per_column = 1.0f / static_cast<float>(r.width);
  float mean = 0;
  if (!r.rms) {
    Vec total{};
    for_each_vector(r.width,
                    [&](int64_t j, auto part) LMZOO_INLINE_LAMBDA { total = total + load(sums + j, part); });
    mean = sum(total) * per_column;
  }
  Vec squares{};
  for_each_vector(r.width, [&](int64_t j, auto part) LMZOO_INLINE_LAMBDA {
    const Vec x = columns_or(load(sums + j, part) - mean, 0.0f, part);
    squares = squares + x * x;
  });
  const float inverse = 1.0f / square_root(sum(squares) * per_column + r.eps);
  Normed* out = row_at<Normed>(r.normed, row, r.width);
  float* stream = r.normed_stream == nullptr ? nullptr : row_at(r.normed_stream, row, r.width);
  for_each_vector(r.width, [&](int64_t j, auto part) LMZOO_INLINE_LAMBDA {
    Vec y = (load(sums + j, part) - mean) * inverse * load(r.weight + j, part);
    if (r.norm_bias != nullptr) {
      y = y + load(r.norm_bias + j, part);
    }
    store(out + j, y, part);
    if (stream != nullptr) {
      store(stream + j, y, part);
    }
  });
  r.mean[row] = mean;
  r.inverse_deviation[row] = inverse;
}

template <class X, bool kDrop>
void add_row(const NormRows& r, int64_t row) {
  const X* x = row_at<X>(r.x, row, r.width);
  const float* residual = row_at(r.residual, row, r.width);
  float* sums = row_at(r.sum, row, r.width);
  for_each_vector<kDrop>(r.width, r.dropout, row, [&](int64_t j, auto part, Vec factor) LMZOO_INLINE_LAMBDA {
    Vec y = load(x + j, part);
    if (r.bias != nullptr) {
      y = y + load(r.bias + j, part);
    }
    store(sums + j, load(residual + j, part) + y * factor, part);
  });
}

template <class X, class Normed>
void norm_rows(const NormRows& r, int64_t begin, int64_t end) {
  const bool drop = r.dropout.threshold > 0;
  for (int64_t row = begin; row < end; ++row) {
    if (r.sum != nullptr) {
      (drop ? add_row<X, true> : add_row<X, false>)(r, row);
    }
    if (r.weight != nullptr) {
      r.sum == nullptr ? normalize_row<X, Normed>(r, row, row_at<X>(r.x, row, r.width))
                       : normalize_row<float, Normed>(r, row, row_at(r.sum, row, r.width));
    }
  }
}

inline void norm_forward(const NormRows& r, int64_t begin, int64_t end) {
  with_number(r.x.half, [&](auto x) {
    with_number(r.normed.half, [&](auto normed) { norm_rows<decltype(x), decltype(normed)>(r, begin, end); });
  });
}

// A row of the backward pass: pointers into every matrix that takes part, null where it is absent.
template <class Sum, class X, class Normed>
struct GradientRow {
  const Sum* sums;
  const float* stream;
  const Normed* normed;
  X* x;
  float* residual;
};

// What reaches the norm's output.
template <class Row, class Part>
LMZOO_INLINE Vec normed_gradient(const Row& g, bool post, int64_t j, Part part) {
  Vec gradient = g.normed == nullptr ? Vec{} : load(g.normed + j, part);
  if (post && g.stream != nullptr) {
    gradient = gradient + load(g.stream + j, part);
  }
  return gradient;
}

// Means over the row of the gradient of the normalized values, plain and times those values.
struct GradientMeans {
  float plain = 0;
  float scaled = 0;
};

template <class Row>
GradientMeans gradient_means(const NormRows& r, const Row& g, bool post, int64_t row, float* partial) {
  const float mean = r.mean[row];
  const float inverse = r.inverse_deviation[row];
  Vec plain{};
  Vec scaled{};
  for_each_vector(r.width, [&](int64_t j, auto part) LMZOO_INLINE_LAMBDA {
    const Vec gradient = normed_gradient(g, post, j, part);
    const Vec normal = (load(g.sums + j, part) - mean) * inverse;
    add(partial + r.width + j, gradient * normal, part);
    add(partial + 2 * r.width + j, gradient, part);
    const Vec weighted = gradient * load(r.weight + j, part);
    plain = plain + weighted;
    scaled = scaled + weighted * normal;
  });
  const float per_column = 1.0f / static_cast<float>(r.width);
  return {r.rms ? 0 : sum(plain) * per_column, sum(scaled) * per_column};
}

template <bool kDrop, class Row>
void gradient_row(const NormRows& r, const Row& g, bool post, int64_t row, float* partial) {
  const bool norm = r.weight != nullptr;
  const GradientMeans means = norm ? gradient_means(r, g, post, row, partial) : GradientMeans{};
  const float mean = norm ? r.mean[row] : 0;
  const float inverse = norm ? r.inverse_deviation[row] : 0;
  for_each_vector<kDrop>(r.width, r.dropout, row, [&](int64_t j, auto part, Vec factor) LMZOO_INLINE_LAMBDA {
    Vec gradient = !post && g.stream != nullptr ? load(g.stream + j, part) : Vec{};
    if (norm) {
      const Vec normal = (load(g.sums + j, part) - mean) * inverse;
      const Vec weighted = normed_gradient(g, post, j, part) * load(r.weight + j, part);
      gradient = gradient + (weighted - means.plain - normal * means.scaled) * inverse;
    }
    if (g.residual != nullptr) {
      store(g.residual + j, gradient, part);
    }
    if (g.x != nullptr) {
      gradient = gradient * factor;
      store(g.x + j, gradient, part);
    }
    if (r.bias != nullptr) {
      add(partial + j, gradient, part);
    }
  });
}

template <class Sum, class X, class Normed>
void gradient_rows(const NormRows& r,
                   const NormRowsGradient& g,
                   const Sum* sums,
                   int64_t begin,
                   int64_t end,
                   float* partial) {
  const bool drop = r.dropout.threshold > 0;
  for (int64_t row = begin; row < end; ++row) {
    using Row = GradientRow<Sum, X, Normed>;
    const Row pointers{sums == nullptr ? nullptr : sums + row * r.width,
                       row_at(g.stream, row, r.width),
                       g.normed.data == nullptr ? nullptr : row_at<Normed>(g.normed, row, r.width),
                       g.x.data == nullptr ? nullptr : row_at<X>(g.x, row, r.width),
                       g.residual == nullptr ? nullptr : row_at(g.residual, row, r.width)};
    (drop ? gradient_row<true, Row> : gradient_row<false, Row>)(r, pointers, g.post, row, partial);
  }
}

inline void norm_gradient(
    const NormRows& r, const NormRowsGradient& g, int64_t begin, int64_t end, float* partial) {
  with_number(r.x.half, [&](auto x) {
    with_number(g.normed.half, [&](auto normed) {
      using X = decltype(x);
      using Normed = decltype(normed);
      if (r.sum != nullptr || r.weight == nullptr) {
        gradient_rows<float, X, Normed>(r, g, r.sum, begin, end, partial);
      } else {
        gradient_rows<X, X, Normed>(r, g, static_cast<const X*>(r.x.data), begin, end, partial);
      }
    });
  });
}

}  // namespace lmzoo::LMZOO_ISA
