// What tells positions apart: rows added to the embeddings (learned, sinusoidal), queries and keys turned by
// an angle (rotary), or a bias on the attention scores by distance (T5's relative buckets).
//
// Legend: N positions, P rows of a table, D width, Dh head width, H heads, S longest sequence.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <utility>

#include "base/fields.h"
#include "core/batch.h"
#include "core/module.h"
#include "nn/kernels/elementwise.h"

namespace lmzoo {

enum class PositionKind {
  none,
  learned,
  sinusoidal,          // sin, cos, sin, cos ... with 10000^(2i/D): Vaswani et al. 2017, section 3.5
  sinusoidal_halves,   // all sines, then all cosines, with 10000^(i/(D/2-1)): tensor2tensor, fairseq
  rotary,              // (x[i], x[i + Dh/2]) turn together: GPT-NeoX, Hugging Face's LLaMA
  rotary_interleaved,  // (x[2i], x[2i+1]): Su et al. 2021, GPT-J, Meta's LLaMA
};
template <>
struct EnumNames<PositionKind> {
  static constexpr std::pair<PositionKind, std::string_view> values[] = {
      {PositionKind::none, "none"},
      {PositionKind::learned, "learned"},
      {PositionKind::sinusoidal, "sinusoidal"},
      {PositionKind::sinusoidal_halves, "sinusoidal_halves"},
      {PositionKind::rotary, "rotary"},
      {PositionKind::rotary_interleaved, "rotary_interleaved"}};
};

// How a model that learned short sequences turns by smaller angles in longer ones.
enum class RopeScalingKind {
  linear,   // all angles divided by the factor: position interpolation (Chen et al. 2023)
  dynamic,  // a larger base once a sequence is longer than the model learned; up to max_length no change
  llama3,   // slow angles divided, fast ones kept, a ramp between them (Llama 3.1)
};
template <>
struct EnumNames<RopeScalingKind> {
  static constexpr std::pair<RopeScalingKind, std::string_view> values[] = {
      {RopeScalingKind::linear, "linear"},
      {RopeScalingKind::dynamic, "dynamic"},
      {RopeScalingKind::llama3, "llama3"}};
};

struct RopeScaling {
  RopeScalingKind kind = RopeScalingKind::linear;
  double factor = 1;
  double low_freq_factor = 1;
  double high_freq_factor = 4;
  int64_t original_length = 8192;

  static constexpr void fields(auto& self, auto& visit) {
    visit("kind", self.kind, "linear, dynamic (within max_length no change) or llama3");
    visit("factor", self.factor, "how much longer sequences become", at_least(1));
    visit("low_freq_factor",
          self.low_freq_factor,
          "llama3: waves longer than original_length / this are divided",
          more_than(0));
    visit("high_freq_factor",
          self.high_freq_factor,
          "llama3: waves shorter than original_length / this are kept",
          more_than(0));
    visit("original_length", self.original_length, "llama3: longest sequence before scaling", at_least(1));
  }
  bool operator==(const RopeScaling&) const = default;
};

struct PositionOptions {
  PositionKind kind = PositionKind::learned;
  int64_t width = 0;                     // D
  int64_t head_width = 0;                // Dh, rotary kinds
  int64_t max_length = 0;                // longest sequence
  int64_t offset = 0;                    // learned: the row of position 0 (RoBERTa, BART: 2)
  double theta = 10000;                  // rotary kinds: angles are position · theta^(-2i/Dh)
  std::optional<RopeScaling> scaling{};  // rotary kinds
};

// How queries and keys are turned by their positions.
struct Rotation {
  RotaryAngles angles;  // undefined: not at all
  RotaryLayout layout = RotaryLayout::halves;
};

// Positions [first, end).
struct PositionRange {
  int64_t first = 0, end = 0;
};

// A row for each position, computed once a model and kept where it is used: the first forward pass on a
// device, and one with a longer sequence than before, copy it there; others wait for nothing. For one thread
// at a time.
class PositionTable {
 public:
  using Rows = std::function<Tensor(const PositionRange&)>;  // [positions, C] on the CPU
  explicit PositionTable(Rows rows) : make_(std::move(rows)) {}

  // The rows of `positions` [N], all of them before `end`: [N, C] of `type` on the device of `positions`.
  Tensor pick(const Tensor& positions, int64_t end, at::ScalarType type);

 private:
  Rows make_;
  Tensor table_;  // [P, C]
};

class Positions : public Module {
 public:
  // Refuses widths without pairs of channels.
  explicit Positions(const PositionOptions& options);

  // `positions` [N] of sequences that end before position `end`, which must not be over max_length.
  // Rows to add to the embeddings: [N, D] of `type`; undefined for kinds that add none.
  Tensor rows(const Tensor& positions, int64_t end, at::ScalarType type) const;
  // Angles to turn queries and keys by: [N, Dh/2] float32; undefined for kinds that turn none.
  Rotation rotation(const Tensor& positions, int64_t end) const;

  Tensor weight;  // [max_length + offset, D]; undefined unless learned

 private:
  PositionOptions options_;
  mutable PositionTable sinusoids_, cos_, sin_;
};

// A row for each position holds its sinusoids: [P, D] float64, D even.
Tensor sinusoids(const PositionRange& range, int64_t width, PositionKind kind);
// A row for each position p holds p · theta^(-2i/Dh), in float32 as the published models have it: [P, Dh/2].
Tensor rotary_table(const PositionRange& range,
                    int64_t head_width,
                    double theta,
                    const std::optional<RopeScaling>& scaling = std::nullopt);

struct RelativeOptions {
  int64_t buckets = 32;
  int64_t max_distance = 128;  // from here on all distances share the last bucket
  bool bidirectional = true;   // half of the buckets for keys after the query
};

// T5's bucket of (key position - query position): exact near by, logarithmic farther (Raffel et al. 2020,
// section 2.1, and the reference implementation's _relative_position_bucket).
int64_t relative_bucket(int64_t relative, const RelativeOptions& options);

// One number a bucket and head, added to the scores; looked up once a forward pass for all layers of a stack.
class RelativeBias : public Module {
 public:
  RelativeBias(int64_t heads, const RelativeOptions& options);

  // For sequences of up to `longest` keys: entry S-1 + (key - query) of [H, 2S-1], S = longest.
  Tensor forward(int64_t longest) const;

  Tensor weight;  // [buckets, H]

 private:
  RelativeOptions options_;
  mutable Tensor buckets_;  // [2R-1] int64: of each distance, as forward()'s result, R >= S
};

}  // namespace lmzoo
