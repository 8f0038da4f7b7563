// How much each id is masked, by how well the model predicts it: Edman & Fraser 2025, "Mask and you shall receive:
// optimizing masked language modeling for pretraining BabyLMs" (AMLM, arXiv 2510.20475), its hard variant as its code
// (train_mask.py) has it. At each update, of id i, predicted n_i times since the last one and c_i times right:
//
//   accuracy_i = (c_i + 1/2) / (n_i + 1)                  of an id that was not predicted: 1/2
//   w_i       <- λ·w_i + (1-λ)·(1 - accuracy_i)           then at least `least`, and all of them 1 in the mean
//
// A text of k tokens that may be masked then has token j masked with probability min(1, p·k·w_j / Σ w): p in the mean.
//
// The code updates every so many steps; here an evaluation does it (docs/decisions/011-adaptive-examples.md).
//
// Legend: V vocabulary, K labeled rows.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/fields.h"
#include "core/model.h"
#include "core/module.h"

namespace lmzoo {

struct AdaptiveOptions {
  double keep = 0.2;      // λ
  double least = 0.0125;  // the code's 0.005 of a rate of 0.4

  static constexpr void fields(auto& self, auto& visit) {
    visit("keep",
          self.keep,
          "share of its weight that an id keeps at an evaluation; the rest is new",
          half_open(0, 1));
    visit("least", self.least, "least weight of an id; they are 1 in the mean", inside(0, 1));
  }
  bool operator==(const AdaptiveOptions&) const = default;
};

class IdWeights : public Module {
 public:
  IdWeights(const AdaptiveOptions& options, int64_t vocabulary);

  // Counts which of the labels [K] are the largest logit of their row.
  void note(const Projection& logits, const Tensor& labels);
  void adapt();   // the update above; then as follow()
  void follow();  // values() are what the buffers say

  std::span<const double> values() const { return values_; }  // [V], on the CPU

 private:
  AdaptiveOptions options_;
  Tensor weights_;       // [V] float32
  Tensor right_, seen_;  // [V] int64: sums of them are the same in any order
  std::vector<double> values_;
};

}  // namespace lmzoo
