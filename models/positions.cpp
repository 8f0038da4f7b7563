#include "models/positions.h"

#include <algorithm>
#include <cmath>

#include <ATen/ops/arange.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/tensor.h>

#include "models/parameter.h"

namespace lmzoo {

Tensor sinusoids(int64_t rows, int64_t width, SinusoidLayout layout) {
  const int64_t half = width / 2;
  const double steps = layout == SinusoidLayout::interleaved
                           ? static_cast<double>(half)
                           : std::max<double>(1, static_cast<double>(half - 1));
  const Tensor rate = at::pow(10000.0, at::arange(half, at::kDouble) / -steps);         // [D/2]
  const Tensor angle = at::arange(rows, at::kDouble).unsqueeze(1) * rate.unsqueeze(0);  // [rows, D/2]
  const int64_t dimension = layout == SinusoidLayout::interleaved ? 2 : 1;
  const Tensor both = layout == SinusoidLayout::interleaved ? at::stack({angle.sin(), angle.cos()}, dimension)
                                                            : at::cat({angle.sin(), angle.cos()}, dimension);
  return both.reshape({rows, width}).to(at::kFloat);
}

RotaryAngles rotary_angles(const Tensor& positions, int64_t head_width, double theta) {
  const Tensor rate = at::pow(
      theta,
      at::arange(0, head_width, 2, positions.options().dtype(at::kFloat)) / -static_cast<double>(head_width));
  const Tensor angle = positions.to(at::kFloat).unsqueeze(1) * rate.unsqueeze(0);  // [N, Dh/2]
  return {.cos = angle.cos(), .sin = angle.sin()};
}

int64_t relative_bucket(int64_t relative, const RelativeOptions& options) {
  int64_t buckets = options.buckets;
  int64_t first = 0;
  int64_t distance = 0;
  if (options.bidirectional) {
    buckets /= 2;
    first = relative > 0 ? buckets : 0;
    distance = std::abs(relative);
  } else {
    distance = std::max<int64_t>(-relative, 0);
  }
  const int64_t exact = buckets / 2;
  if (distance < exact) {
    return first + distance;
  }
  const double octave = std::log(static_cast<double>(distance) / static_cast<double>(exact)) /
                        std::log(static_cast<double>(options.max_distance) / static_cast<double>(exact));
  // float, as the reference computes it: the borders of the buckets depend on its rounding.
  const auto far = static_cast<int64_t>(static_cast<float>(octave) * static_cast<float>(buckets - exact));
  return first + std::min(exact + far, buckets - 1);
}

RelativeBias::RelativeBias(int64_t heads, const RelativeOptions& options)
    : weight(register_parameter("weight", new_parameter({options.buckets, heads}))), options_(options) {}

Tensor RelativeBias::forward(int64_t longest) const {
  std::vector<int64_t> buckets;
  for (int64_t relative = 1 - longest; relative < longest; ++relative) {
    buckets.push_back(relative_bucket(relative, options_));
  }
  return at::embedding(weight, at::tensor(buckets, at::kLong).to(weight.device())).t();  // [H, 2S-1]
}

}  // namespace lmzoo
