// Evaluation: sums over one pass, divided once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/model.h"
#include "core/objective.h"
#include "train/batch_source.h"
#include "train/train_options.h"

namespace lmzoo {

struct EvalResult {
  double loss_sum = 0;  // nats
  int64_t labels = 0;
  int64_t tokens = 0;
  int64_t bytes = 0;  // of text; 0: unknown
  std::vector<std::pair<std::string, double>>
      means;  // the objective's further metrics; "accuracy" for "correct"

  double loss() const { return loss_sum / static_cast<double>(labels); }
  double perplexity() const;
  std::optional<double> bits_per_byte() const;
  std::optional<double> mean(const std::string& name) const;
  // loss, perplexity, bits_per_byte if known, the means, labels, tokens: in this order, for rows and tables.
  std::vector<std::pair<std::string, double>> values() const;
};

struct EvalSettings {
  Precision precision = Precision::fp32;
  torch::Device device = torch::kCPU;
  int64_t max_batches = 0;  // 0: all
};

// Without gradients and dropout; model and objective are in training mode again afterwards if they were
// before. Empty when a stop signal came in the middle (train/stop_signal.h). Data without a label is an
// InputError.
std::optional<EvalResult> evaluate(Model& model,
                                   Objective& objective,
                                   const EvalSet& data,
                                   const EvalSettings& settings);

}  // namespace lmzoo
