#include "train/loop/evaluate.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>
#include <numeric>

#include <ATen/core/grad_mode.h>

#include "base/check.h"
#include "train/loop/precision.h"
#include "train/loop/stop_signal.h"
#include "train/loop/task_metrics.h"

namespace lmzoo {
namespace {

// Evaluation mode for a scope.
class EvaluationMode {
 public:
  explicit EvaluationMode(Module& module) : module_(module), was_training_(module.is_training()) {
    module_.eval();
  }
  ~EvaluationMode() { module_.train(was_training_); }
  EvaluationMode(const EvaluationMode&) = delete;
  EvaluationMode& operator=(const EvaluationMode&) = delete;

 private:
  Module& module_;
  bool was_training_;
};

// Sums of one pass for one slot. They stay on the device until all of them are read.
struct SlotSums {
  Tensor loss;
  std::map<std::string, Tensor> metrics;
  double total = 0;
  double weight = 1;

  static void add(Tensor& sum, const Tensor& term) {
    const Tensor exact = term.detach().to(at::kDouble);
    sum = sum.defined() ? sum + exact : exact;
  }
  void add(const LossTerm& term) {
    add(loss, term.sum);
    weight = term.weight;
    for (const auto& [name, value] : term.metrics) {
      add(metrics[name], value);
    }
  }
  double mean() const { return loss.item<double>() / total; }
};

// Terms of a batch to the sums of their slots. What has no label in it adds nothing.
void add_terms(const Losses& losses, const Batch& batch, std::vector<SlotSums>& sums) {
  sums.resize(batch.slots.size());
  for (size_t s = 0; s < batch.slots.size(); ++s) {
    sums[s].total += batch.slots[s].total;
  }
  for (const LossTerm& term : losses) {
    const auto slot = static_cast<size_t>(term.slot);
    if (batch.slots.at(slot).count() > 0) {
      sums[slot].add(term);
    }
  }
}

// The loss of the pass and its means. Further slots add their means, and are told by their names too; of several objectives
// at once all are.
void read_sums(const std::vector<SlotSums>& sums, const std::vector<Slot>& slots, EvalResult& result) {
  const double total = sums.front().total;
  for (size_t s = 0; s < sums.size(); ++s) {
    if (!sums[s].loss.defined() || sums[s].total == 0) {
      continue;
    }
    const bool is_first = s == 0;
    const bool has_name = !is_first || result.mixed;
    const std::string prefix = has_name ? slots[s].name + "_" : "";
    result.loss_sum += is_first ? sums[s].weight * sums[s].loss.item<double>()
                                : sums[s].weight * sums[s].mean() * (total > 0 ? total : 1);
    if (has_name) {
      result.means.emplace_back(prefix + "loss", sums[s].mean());
    }
    for (const auto& [name, sum] : sums[s].metrics) {
      result.means.emplace_back(prefix + (name == "correct" ? "accuracy" : name),
                                sum.item<double>() / sums[s].total);
    }
  }
  result.total = total > 0 ? total : 1;
}

// The metrics of the settings. What the objective tells as a mean is known already.
void measure(const Predictions& predictions,
             const std::vector<std::string>& classes,
             const EvalSettings& settings,
             EvalResult& result) {
  std::vector<std::string> names = settings.metrics;
  const auto task = task_predictions(predictions, classes);
  if (!task) {
    for (const std::string& name : names) {
      check(result.mean(name).has_value(),
            "eval.metrics: there is no {}, for this objective predicts no classes, numbers, tags or answers",
            name);
    }
    return;
  }
  const std::vector<std::string> known = metric_names(*task);
  if (names.empty()) {
    names = settings.all_metrics ? known : usual_metric_names(*task);
  }
  const auto has = [](const std::vector<std::string>& list, const std::string& name) {
    return std::find(list.begin(), list.end(), name) != list.end();
  };
  if (has(known, settings.best_by) && !has(names, settings.best_by)) {
    names.push_back(settings.best_by);
  }
  result.metrics = task_metrics(*task, names);
  if (settings.keep_predictions) {
    result.predictions = std::make_shared<const TaskPredictions>(*task);
  }
}

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

NamedNumbers EvalResult::values() const {
  NamedNumbers all{{"loss", loss()}};
  if (!mixed) {
    all.emplace_back("perplexity", perplexity());
  }
  if (const auto bits = bits_per_byte()) {
    all.emplace_back("bits_per_byte", *bits);
  }
  all.insert(all.end(), means.begin(), means.end());
  for (const auto& [name, number] : metrics) {
    if (!mean(name)) {
      all.emplace_back(name, number);
    }
  }
  all.emplace_back("labels", static_cast<double>(labels));
  all.emplace_back("tokens", static_cast<double>(tokens));
  return all;
}

double EvalResult::value_for_best(const std::string& best_by) const {
  std::string legal;
  for (const auto& [known, number] : values()) {
    if (known == best_by) {
      return number;
    }
    if (known != "labels" && known != "tokens") {
      legal += (legal.empty() ? "" : ", ") + known;
    }
  }
  throw InputError(fmt::format("eval.best_by is {}, but this objective measures only {}", best_by, legal));
}

std::optional<EvalResult> evaluate(Model& model,
                                   Objective& objective,
                                   const EvalSet& data,
                                   const EvalSettings& settings) {
  const at::NoGradGuard no_grad;
  const EvaluationMode model_mode(model), objective_mode(objective);
  const PrecisionScope scope(settings.precision, settings.device.type());
  EvalResult result;
  result.mixed = objective.form().mixed;
  std::vector<SlotSums> sums;
  int64_t labels = 0;  // of all slots
  Predictions predictions;
  const BatchPass pass = data.open();
  std::optional<Batch> next = pass();
  for (int64_t done = 0; next; ++done, next = pass()) {
    if (stop_signal() != 0) {
      return std::nullopt;
    }
    if (settings.max_batches > 0 && done >= settings.max_batches && labels > 0) {
      break;
    }
    const Batch batch = next->to(settings.device);
    Stream stream({.epoch = static_cast<uint64_t>(done), .purpose = Purpose::loss});
    add_terms(objective.loss_and_predictions(model, batch, stream, predictions), batch, sums);
    result.tokens += batch.tokens;
    const int64_t all = std::accumulate(
        batch.slots.begin(), batch.slots.end(), int64_t{0}, [](int64_t n, const SlotBatch& slot) {
          return n + slot.count();
        });
    result.labels += result.mixed ? all : batch.slots.front().count();
    labels += all;
  }
  check(labels > 0, "data.{} has no label to evaluate on", data.name);
  read_sums(sums, objective.slots(), result);
  result.bytes = next ? 0 : data.bytes;  // a part of the data stands for an unknown part of its bytes
  measure(predictions, data.classes, settings, result);
  return result;
}

}  // namespace lmzoo
