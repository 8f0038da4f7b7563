// Evaluation: sums over one pass, divided once.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/model.h"
#include "core/objective.h"
#include "metrics/task.h"
#include "train/loop/batch_source.h"
#include "train/loop/train_options.h"

namespace lmzoo {

struct EvalResult {
  double loss_sum = 0;  // nats, of all terms: such that dividing by `total` gives the loss
  double total = 0;     // of the weights of the first slot's labels
  int64_t labels = 0;   // of the first slot; of all when mixed
  int64_t tokens = 0;
  int64_t bytes = 0;   // of text; 0: unknown
  bool mixed = false;  // of several objectives: the loss is a sum of means, and has no perplexity
  std::vector<std::pair<std::string, double>>
      means;               // the objective's further metrics; "accuracy" for "correct"
  NamedNumbers metrics{};  // of what it predicts
  std::shared_ptr<const TaskPredictions> predictions{};  // when they were asked for

  double loss() const { return loss_sum / total; }
  double perplexity() const;
  std::optional<double> bits_per_byte() const;
  std::optional<double> mean(const std::string& name) const;
  // loss, perplexity, bits_per_byte if known, the means, the metrics, labels, tokens: in this order, for rows
  // and tables.
  NamedNumbers values() const;
  // The one that `eval.best_by` names; InputError that tells the legal ones when there is none such.
  double value_for_best(const std::string& best_by) const;
};

struct EvalSettings {
  Precision precision = Precision::fp32;
  at::Device device = at::kCPU;
  int64_t max_batches = 0;             // 0: all; more than so many while none of them had a label
  std::vector<std::string> metrics{};  // of the predictions, by name; empty: the usual ones of the task
  std::string best_by{};               // this one too, if the task has it
  bool all_metrics = false;            // instead: all there are
  bool keep_predictions = false;
};

// Without gradients and dropout; model and objective are in training mode again afterwards if they were
// before. Empty when a stop signal came in the middle (train/loop/stop_signal.h). Data without a label is an
// InputError.
std::optional<EvalResult> evaluate(Model& model,
                                   Objective& objective,
                                   const EvalSet& data,
                                   const EvalSettings& settings);

}  // namespace lmzoo
