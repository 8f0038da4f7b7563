#include "train/loop/evaluate_sets.h"

#include <cmath>

#include <fmt/format.h>

namespace lmzoo {

std::vector<NamedEvaluation> evaluate_sets(Model& model,
                                           Objective& objective,
                                           std::span<const EvalSet* const> sets,
                                           const EvalSettings& settings) {
  std::vector<NamedEvaluation> all;
  for (const EvalSet* set : sets) {
    const auto result = evaluate(model, objective, *set, settings);
    if (!result) {
      return {};
    }
    all.push_back({set->name, *result});
  }
  return all;
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
