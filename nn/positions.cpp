#include "nn/positions.h"

#include <algorithm>
#include <bit>
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

// Tables grow to the next power of two, so that seldom and generation not at every token.
constexpr int64_t kTablePiece = 512;
int64_t table_rows(int64_t wanted) {
  return std::max(kTablePiece, static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(wanted))));
}

Tensor angles_of(const PositionRange& range, const PositionOptions& o) {
  return rotary_table(range, o.head_width, o.theta, o.scaling);
}

}  // namespace

Tensor PositionTable::pick(const Tensor& positions, int64_t end, at::ScalarType type) {
  const bool fits = table_.defined() && table_.size(0) >= end && table_.scalar_type() == type &&
                    table_.device() == positions.device();
  if (!fits) {
    // In pieces of one size, so that the bits of a row depend on its position alone and never on which
    // lengths came before: vector functions may round the end of an array in another way.
    std::vector<Tensor> pieces;
    for (int64_t first = 0; first < table_rows(end); first += kTablePiece) {
      pieces.push_back(make_({first, first + kTablePiece}));
    }
    table_ = at::cat(pieces).to(positions.device(), type, /*non_blocking=*/true);
  }
  return table_.index_select(0, positions);
}

Positions::Positions(const PositionOptions& options)
    : options_(options),
      sinusoids_([width = options.width, kind = options.kind](const PositionRange& range) {
        return sinusoids(range, width, kind);
      }),
      cos_([options](const PositionRange& range) { return angles_of(range, options).cos(); }),
      sin_([options](const PositionRange& range) { return angles_of(range, options).sin(); }) {
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
    return sinusoids_.pick(positions, end, type);
  }
  return {};
}

Rotation Positions::rotation(const Tensor& positions, int64_t end) const {
  if (!is_rotary(options_.kind)) {
    return {};
  }
  const bool interleaved = options_.kind == PositionKind::rotary_interleaved;
  return {
      .angles = {.cos = cos_.pick(positions, end, at::kFloat), .sin = sin_.pick(positions, end, at::kFloat)},
      .layout = interleaved ? RotaryLayout::interleaved : RotaryLayout::halves};
}

Tensor sinusoids(const PositionRange& range, int64_t width, PositionKind kind) {
  const int64_t half = width / 2;
  const bool interleaved = kind == PositionKind::sinusoidal;
  const auto steps = static_cast<double>(interleaved ? half : std::max<int64_t>(1, half - 1));
  const Tensor rate = at::pow(10000.0, at::arange(half, on_cpu(at::kDouble)) / -steps);  // [D/2]
  const Tensor angle =
      at::arange(range.first, range.end, on_cpu(at::kDouble)).unsqueeze(1) * rate;  // [P, D/2]
  return interleaved ? at::stack({angle.sin(), angle.cos()}, 2).flatten(1)
                     : at::cat({angle.sin(), angle.cos()}, 1);
}

Tensor rotary_table(const PositionRange& range,
                    int64_t head_width,
                    double theta,
                    const std::optional<RopeScaling>& scaling) {
  const Tensor exponent = at::arange(0, head_width, 2, on_cpu(at::kFloat)) / static_cast<double>(head_width);
  Tensor rate = 1 / at::pow(theta, exponent);  // [Dh/2]
  if (scaling && scaling->kind == RopeScalingKind::linear) {
    rate = rate / scaling->factor;
  } else if (scaling && scaling->kind == RopeScalingKind::llama3) {
    rate = llama3_rate(rate, *scaling);
  }
  return at::arange(range.first, range.end, on_cpu(at::kFloat)).unsqueeze(1) * rate;
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
  const bool fits =
      buckets_.defined() && buckets_.size(0) / 2 + 1 >= longest && buckets_.device() == weight.device();
  if (!fits) {
    const int64_t reach = table_rows(longest);
    std::vector<int64_t> buckets;
    for (int64_t relative = 1 - reach; relative < reach; ++relative) {
      buckets.push_back(relative_bucket(relative, options_));
    }
    buckets_ = at::tensor(buckets, on_cpu(at::kLong)).to(weight.device(), /*non_blocking=*/true);
  }
  const Tensor near = buckets_.narrow(0, buckets_.size(0) / 2 + 1 - longest, 2 * longest - 1);
  return at::embedding(weight, near).t();  // [H, 2S-1]
}

}  // namespace lmzoo
