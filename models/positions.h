// What tells positions apart: sinusoids, rotary angles, T5's relative buckets. (Learned ones are an
// Embedding.)
//
// Legend: N positions, D width, Dh head width, H heads, S longest sequence.
#pragma once

#include <cstdint>

#include <torch/nn/module.h>

#include "core/batch.h"
#include "models/kernels/elementwise.h"

namespace lmzoo {

enum class SinusoidLayout {
  interleaved,  // sin, cos, sin, cos ... with 10000^(2i/D): Vaswani et al. 2017, section 3.5
  halves,       // all sines, then all cosines, with 10000^(i/(D/2-1)): tensor2tensor, fairseq
};

// Row p holds the sinusoids of position p: [rows, D], D even.
Tensor sinusoids(int64_t rows, int64_t width, SinusoidLayout layout);

// Angles of RoPE (Su et al. 2021, section 3.2.2): position · theta^(-2i/Dh), in float32. positions [N] -> [N,
// Dh/2]
RotaryAngles rotary_angles(const Tensor& positions, int64_t head_width, double theta);

struct RelativeOptions {
  int64_t buckets = 32;
  int64_t max_distance = 128;  // from here on all distances share the last bucket
  bool bidirectional = true;   // half of the buckets for keys after the query
};

// T5's bucket of (key position - query position): exact near by, logarithmic farther (Raffel et al. 2020,
// section 2.1, and the reference implementation's _relative_position_bucket).
int64_t relative_bucket(int64_t relative, const RelativeOptions& options);

// One number a bucket and head, added to the scores; shared by all layers of a stack.
class RelativeBias : public torch::nn::Module {
 public:
  RelativeBias(int64_t heads, const RelativeOptions& options);

  // For sequences of up to `longest` keys: entry S-1 + (key - query) of [H, 2S-1], S = longest.
  Tensor forward(int64_t longest) const;

  Tensor weight;  // [buckets, H]

 private:
  RelativeOptions options_;
};

}  // namespace lmzoo
