#include "nn/positions.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>

#include "base/check.h"
#include "nn/parameter.h"

namespace lmzoo {
namespace {

bool is_sinusoidal(PositionKind kind) {
  return kind == PositionKind::sinusoidal || kind == PositionKind::sinusoidal_halves;
}
bool is_rotary(PositionKind kind) {
  return kind == PositionKind::rotary || kind == PositionKind::rotary_interleaved;
}

// Waves of at least original_length / low_freq_factor positions are stretched by the factor, those of at most
// original_length / high_freq_factor stay, between them the two rates are mixed.
Tensor llama3_rate(const Tensor& rate, const RopeScaling& s) {
  const double turn = 2 * std::numbers::pi;
  const auto length = static_cast<double>(s.original_length);
  const Tensor smooth = (length * rate / turn - s.low_freq_factor) / (s.high_freq_factor - s.low_freq_factor);
  const Tensor share = smooth.clamp(0, 1);  // of the unscaled rate
  return (1 - share) * (rate / s.factor) + share * rate;
}

}  // namespace

Positions::Positions(const PositionOptions& options) : options_(options) {
  check(!is_sinusoidal(options.kind) || options.width % 2 == 0,
        "width is {} but must be even for positions: {}",
        options.width,
        name_of(options.kind));
  check(!is_rotary(options.kind) || options.head_width % 2 == 0,
        "the width of a head is {} but must be even for positions: {}",
        options.head_width,
        name_of(options.kind));
  check(!options.scaling || options.scaling->high_freq_factor > options.scaling->low_freq_factor,
        "rope_scaling.high_freq_factor must be over low_freq_factor");
  check(!options.scaling || is_rotary(options.kind), "rope_scaling is for rotary positions");
  if (options.kind == PositionKind::learned) {
    weight =
        register_parameter("weight", new_parameter({options.max_length + options.offset, options.width}));
  }
}

Tensor Positions::rows(const Tensor& positions, int64_t end, at::ScalarType type) const {
  check(end <= options_.max_length, "a sequence of {} is over max_length = {}", end, options_.max_length);
  if (options_.kind == PositionKind::learned) {
    return at::embedding(weight, options_.offset == 0 ? positions : positions + options_.offset);
  }
  if (is_sinusoidal(options_.kind)) {
    return sinusoids(end, options_.width, options_.kind)
        .to(positions.device(), type)
        .index_select(0, positions);
  }
  return {};
}

RotaryAngles Positions::angles(const Tensor& positions, int64_t end) const {
  if (!is_rotary(options_.kind)) {
    return {};
  }
  const Tensor table = rotary_table(end, options_.head_width, options_.theta, options_.scaling);
  const auto pick = [&](const Tensor& of) { return of.to(positions.device()).index_select(0, positions); };
  return {.cos = pick(table.cos()), .sin = pick(table.sin())};
}

RotaryLayout Positions::layout() const {
  return options_.kind == PositionKind::rotary_interleaved ? RotaryLayout::interleaved : RotaryLayout::halves;
}

Tensor sinusoids(int64_t rows, int64_t width, PositionKind kind) {
  const int64_t half = width / 2;
  const bool interleaved = kind == PositionKind::sinusoidal;
  const auto steps = static_cast<double>(interleaved ? half : std::max<int64_t>(1, half - 1));
  const Tensor rate = at::pow(10000.0, at::arange(half, at::kDouble) / -steps);  // [D/2]
  const Tensor angle = at::arange(rows, at::kDouble).unsqueeze(1) * rate;        // [P, D/2]
  return interleaved ? at::stack({angle.sin(), angle.cos()}, 2).view({rows, width})
                     : at::cat({angle.sin(), angle.cos()}, 1);
}

Tensor rotary_table(int64_t rows,
                    int64_t head_width,
                    double theta,
                    const std::optional<RopeScaling>& scaling) {
  const Tensor exponent = at::arange(0, head_width, 2, at::kFloat) / static_cast<double>(head_width);
  Tensor rate = 1 / at::pow(theta, exponent);  // [Dh/2]
  if (scaling && scaling->kind == RopeScalingKind::linear) {
    rate = rate / scaling->factor;
  } else if (scaling && scaling->kind == RopeScalingKind::llama3) {
    rate = llama3_rate(rate, *scaling);
  }
  return at::arange(rows, at::kFloat).unsqueeze(1) * rate;
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
