#include "train/loop/evaluate_sets.h"

#include <cmath>

#include <fmt/format.h>

namespace lmzoo {

namespace {

EvalSettings settings_of(const TrainJob& job, int64_t max_batches) {
  return {.precision = job.train.precision,
          .device = job.device,
          .max_batches = max_batches,
          .metrics = job.eval.metrics,
          .best_by = job.eval.best_by};
}

std::vector<const EvalSet*> sets_of(const TrainJob& job, bool further) {
  std::vector<const EvalSet*> sets{&*job.valid};
  for (const EvalSet& set : job.further_valid) {
    sets.push_back(&set);
  }
  sets.resize(further ? sets.size() : 1);
  return sets;
}

}  // namespace

std::vector<NamedEvaluation> evaluate_all(const TrainJob& job, bool further) {
  std::vector<NamedEvaluation> all;
  for (const EvalSet* set : sets_of(job, further)) {
    const auto result = evaluate(job.model, job.objective, *set, settings_of(job, job.eval.max_batches));
    if (!result) {
      return {};
    }
    all.push_back({set->name, *result});
  }
  return all;
}

void try_evaluation(const TrainJob& job) {
  for (const EvalSet* set : sets_of(job, true)) {
    const auto probe = evaluate(job.model, job.objective, *set, settings_of(job, 1));
    if (probe && set == &*job.valid) {
      probe->value_for_best(job.eval.best_by);
    }
  }
}

std::vector<std::string> log_evaluations(MetricsLog& log,
                                         int64_t step,
                                         std::span<const NamedEvaluation> all) {
  std::vector<std::string> lines;
  for (const auto& [set, result] : all) {
    log.eval(step, set, result.values());
    std::string& line = lines.emplace_back(fmt::format("step {}: {}", step, set));
    for (const auto& [name, value] : result.values()) {
      if (name != "labels" && name != "tokens") {
        line += fmt::format("  {} {:g}", name, value);
      }
    }
  }
  log.flush();
  return lines;
}

std::optional<BestMark> improved(const std::optional<BestMark>& best,
                                 const EvalResult& valid,
                                 const std::string& metric,
                                 int64_t step) {
  const double value = valid.value_for_best(metric), sign = less_is_better(metric) ? -1 : 1;
  const bool is_number = std::isfinite(value) && std::isfinite(valid.loss());
  const bool better = is_number && (!best || sign * value > sign * best->value);
  return better ? std::optional(BestMark{step, metric, value}) : std::nullopt;
}

}  // namespace lmzoo
