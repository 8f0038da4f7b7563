// Included by one unit per instruction set.
#pragma once

#include "core/simd_row.h"
#include "nn/kernels/softmax_rows.h"

namespace lmzoo::LMZOO_ISA {

template <class Number, class Part>
LMZOO_INLINE Vec logit_at(const Number* logits, const float* bias, int64_t j, Part part) {
  return bias == nullptr ? load(logits + j, part) : load(logits + j, part) + load(bias + j, part);
}

template <class Number>
float largest_logit(const Number* logits, const float* bias, int64_t classes) {
  Vec largest = splat(-__builtin_inff());
  for_each_vector(classes, [&](int64_t j, auto part) LMZOO_INLINE_LAMBDA {
    const Vec x = logit_at(logits, bias, j, part);
    largest = max(largest, columns_or(x, -__builtin_inff(), part));
  });
  return max(largest);
}

// Of the exponentials of logits above the largest, and of the logits themselves.
struct Totals {
  float exponentials = 0;
  float logits = 0;
};

template <class Number>
Totals totals_of(const Number* logits, const float* bias, int64_t classes, float largest) {
  Vec exponentials{};
  Vec plain{};
  for_each_vector(classes, [&](int64_t j, auto part) LMZOO_INLINE_LAMBDA {
    const Vec x = logit_at(logits, bias, j, part);
    exponentials = exponentials + columns_or(exp(x - largest), 0.0f, part);
    plain = plain + columns_or(x, 0.0f, part);
  });
  return {sum(exponentials), sum(plain)};
}

template <class Number>
float one_logit(const Number* logits, const float* bias, int64_t j) {
  return to_float(logits[j]) + (bias == nullptr ? 0.0f : bias[j]);
}

// Whether the first of the largest logits, which all are numbers, is at `label`.
template <class Number>
bool is_first_largest(const Number* logits, const float* bias, int64_t label, float largest) {
  if (!(one_logit(logits, bias, label) >= largest)) {
    return false;
  }
  for (int64_t j = 0; j < label; ++j) {
    if (one_logit(logits, bias, j) >= largest) {
      return false;
    }
  }
  return true;
}

// The loss of a row counts once, or times its weight; with z-loss the probabilities of its gradient are steeper.
struct Once {
  template <class X>
  LMZOO_INLINE X operator()(X x) const {
    return x;
  }
  template <class X>
  LMZOO_INLINE X probability(X p) const {
    return p;
  }
};
struct Times : Once {
  explicit Times(float row_weight) : weight(row_weight) {}
  float weight;
  template <class X>
  LMZOO_INLINE X operator()(X x) const {
    return x * weight;
  }
};
struct Steeper : Times {
  Steeper(float row_weight, float row_slope) : Times(row_weight), slope(row_slope) {}
  float slope;  // 1 + 2·z·log Z
  template <class X>
  LMZOO_INLINE X probability(X p) const {
    return p * slope;
  }
};

// Probability minus target, over the logits.
template <class Number, class Weigh>
void differentiate_row(
    const SoftmaxRows& r, int64_t label, float log_sum, Number* logits, float* bias_gradient, Weigh weigh) {
  const float everywhere = r.smoothing / static_cast<float>(r.classes);
  const float likely = weigh.probability(__builtin_expf(one_logit(logits, r.bias, label) - log_sum));
  const float at_label = likely - everywhere - (1 - r.smoothing);
  for_each_vector(r.classes, [&](int64_t j, auto part) LMZOO_INLINE_LAMBDA {
    const Vec p = weigh.probability(exp(logit_at(logits, r.bias, j, part) - log_sum));
    const Vec gradient = weigh(p - everywhere);
    store(logits + j, gradient, part);
    if (r.bias != nullptr) {
      add(bias_gradient + j, gradient, part);
    }
  });
  store_one(logits + label, weigh(at_label));
  if (r.bias != nullptr) {
    bias_gradient[label] -= weigh(1 - r.smoothing);
  }
}

template <class Number>
void softmax_rows(const SoftmaxRows& r, int64_t begin, int64_t end, float* bias_gradient) {
  for (int64_t row = begin; row < end; ++row) {
    Number* logits = static_cast<Number*>(r.logits) + row * r.classes;
    const int64_t label = r.labels[row];
    const float largest = largest_logit(logits, r.bias, r.classes);
    const Totals totals = totals_of(logits, r.bias, r.classes, largest);
    // Maxima and exponentials pass over what is no number, the sum does not.
    const bool is_number = totals.logits == totals.logits;
    const float log_sum = is_number ? largest + __builtin_logf(totals.exponentials) : __builtin_nanf("");
    const float mean = totals.logits / static_cast<float>(r.classes);
    r.losses[row] = log_sum - (1 - r.smoothing) * one_logit(logits, r.bias, label) - r.smoothing * mean;
    if (r.z_loss != 0) {
      r.losses[row] += r.z_loss * log_sum * log_sum;
    }
    r.correct[row] = is_number && is_first_largest(logits, r.bias, label, largest) ? 1 : 0;
    if (r.weights != nullptr) {
      r.losses[row] *= r.weights[row];
    }
    if (r.gradient && r.z_loss != 0) {
      const Steeper steeper(r.weights == nullptr ? 1 : r.weights[row], 1 + 2 * r.z_loss * log_sum);
      differentiate_row(r, label, log_sum, logits, bias_gradient, steeper);
    } else if (r.gradient && r.weights == nullptr) {
      differentiate_row(r, label, log_sum, logits, bias_gradient, Once{});
    } else if (r.gradient) {
      differentiate_row(r, label, log_sum, logits, bias_gradient, Times{r.weights[row]});
    }
  }
}

template <class Number>
void scale_numbers(const Number* from, float factor, float* to, int64_t count) {
  for_each_vector(count, [&](int64_t j, auto part) LMZOO_INLINE_LAMBDA {
    store(to + j, load(from + j, part) * factor, part);
  });
}

SoftmaxKernels softmax_kernels() {
  return {[](const SoftmaxRows& rows, int64_t begin, int64_t end, float* bias_gradient) {
            (rows.half ? softmax_rows<BFloat> : softmax_rows<float>)(rows, begin, end, bias_gradient);
          },
          [](const void* from, bool half, float factor, float* to, int64_t begin, int64_t end) {
            half ? scale_numbers(static_cast<const BFloat*>(from) + begin, factor, to + begin, end - begin)
                 : scale_numbers(static_cast<const float*>(from) + begin, factor, to + begin, end - begin);
          }};
}

}  // namespace lmzoo::LMZOO_ISA
