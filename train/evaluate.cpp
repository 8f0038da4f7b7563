#include "train/evaluate.h"

#include <cmath>
#include <map>
#include <numbers>

#include <ATen/core/grad_mode.h>

#include "core/check.h"
#include "train/precision.h"
#include "train/stop_signal.h"

namespace lmzoo {
namespace {

// Evaluation mode for a scope.
class EvaluationMode {
 public:
  explicit EvaluationMode(torch::nn::Module& module) : module_(module), was_training_(module.is_training()) {
    module_.eval();
  }
  ~EvaluationMode() { module_.train(was_training_); }
  EvaluationMode(const EvaluationMode&) = delete;
  EvaluationMode& operator=(const EvaluationMode&) = delete;

 private:
  torch::nn::Module& module_;
  bool was_training_;
};

// Sums of one pass. They stay on the device until all of them are read.
struct Sums {
  Tensor loss;
  std::map<std::string, Tensor> metrics;

  static void add(Tensor& sum, const Tensor& term) {
    const Tensor exact = term.detach().to(torch::kFloat64);
    sum = sum.defined() ? sum + exact : exact;
  }
  void add(const LossSums& batch) {
    add(loss, batch.sum);
    for (const auto& [name, value] : batch.metrics) {
      add(metrics[name], value);
    }
  }
};

}  // namespace

double EvalResult::perplexity() const { return std::exp(loss()); }

std::optional<double> EvalResult::bits_per_byte() const {
  if (bytes == 0) {
    return std::nullopt;
  }
  return loss_sum / std::numbers::ln2 / static_cast<double>(bytes);
}

std::optional<double> EvalResult::mean(const std::string& name) const {
  for (const auto& [known, value] : means) {
    if (known == name) {
      return value;
    }
  }
  return std::nullopt;
}

std::vector<std::pair<std::string, double>> EvalResult::values() const {
  std::vector<std::pair<std::string, double>> all{{"loss", loss()}, {"perplexity", perplexity()}};
  if (const auto bits = bits_per_byte()) {
    all.emplace_back("bits_per_byte", *bits);
  }
  all.insert(all.end(), means.begin(), means.end());
  all.emplace_back("labels", static_cast<double>(labels));
  all.emplace_back("tokens", static_cast<double>(tokens));
  return all;
}

std::optional<EvalResult> evaluate(Model& model,
                                   Objective& objective,
                                   const EvalSet& data,
                                   const EvalSettings& settings) {
  const at::NoGradGuard no_grad;
  const EvaluationMode model_mode(model), objective_mode(objective);
  const PrecisionScope scope(settings.precision, settings.device.type());
  EvalResult result;
  Sums sums;
  const BatchPass pass = data.open();
  std::optional<Batch> next = pass();
  for (int64_t done = 0; next; ++done, next = pass()) {
    if (stop_signal() != 0) {
      return std::nullopt;
    }
    if (settings.max_batches > 0 && done == settings.max_batches) {
      break;
    }
    const Batch batch = next->to(settings.device);
    const LossSums loss = objective.loss(model, batch);
    result.tokens += batch.tokens;
    result.labels += loss.count;
    if (loss.count > 0) {
      sums.add(loss);
    }
  }
  check(result.labels > 0, "data.", data.name, " has no label to evaluate on");
  result.loss_sum = sums.loss.item<double>();
  result.bytes = next ? 0 : data.bytes;  // a part of the data stands for an unknown part of its bytes
  for (const auto& [name, sum] : sums.metrics) {
    result.means.emplace_back(name == "correct" ? "accuracy" : name,
                              sum.item<double>() / static_cast<double>(result.labels));
  }
  return result;
}

}  // namespace lmzoo
