#include "infer/report/compare.h"

#include "base/check.h"
#include "infer/report/report.h"
#include "train/loop/stop_signal.h"

namespace lmzoo {
namespace {

TaskPredictions predictions_of(LoadedRun& run, const EvaluationText& text) {
  const EvalResult result = evaluate_run(run, evaluation_data(run, text), {.keep_predictions = true});
  check(result.predictions != nullptr,
        "{}: {} predicts no classes, numbers, tags or answers that could be compared",
        run.folder,
        run.config.config.objective.type);
  return *result.predictions;
}

std::string short_number(double value) { return fmt::format("{:.4g}", value); }

}  // namespace

Comparison compare_runs(LoadedRun& a, LoadedRun& b, const ComparisonRequest& request) {
  check(a.parts.classes == b.parts.classes, "{} knows other classes than {}", b.folder, a.folder);
  const TaskPredictions of_a = predictions_of(a, request.text);
  const TaskPredictions both = side_by_side(of_a, predictions_of(b, request.text));
  Comparison made{.a = a.checkpoint, .b = b.checkpoint, .examples = example_count(of_a), .metrics = {}};
  for (const std::string& metric : request.metrics.empty() ? usual_metric_names(of_a) : request.metrics) {
    const ScoreOf score = metric_of(both, metric);
    made.metrics.push_back(
        {.name = metric,
         .bootstrap = paired_bootstrap(score, made.examples, request.test),
         .p_randomization = approximate_randomization(score, made.examples, request.test)});
    throw_if_stopped();
  }
  return made;
}

Json to_json(const Comparison& comparison) {
  Json metrics = Json::array();
  for (const ComparedMetric& metric : comparison.metrics) {
    const PairedBootstrap& test = metric.bootstrap;
    metrics.push_back({{"metric", metric.name},
                       {"a", test.first},
                       {"b", test.second},
                       {"difference", test.difference},
                       {"low", test.low},
                       {"high", test.high},
                       {"b_wins", test.second_wins},
                       {"p_bootstrap", test.p_value},
                       {"p_randomization", metric.p_randomization}});
  }
  return {{"a", comparison.a},
          {"b", comparison.b},
          {"examples", comparison.examples},
          {"metrics", std::move(metrics)}};
}

std::string to_text(const Comparison& comparison) {
  html::Table table{
      .head = {"metric", "a", "b", "b - a", "95 % interval", "b wins", "p bootstrap", "p randomization"},
      .rows = {}};
  for (const ComparedMetric& metric : comparison.metrics) {
    const PairedBootstrap& test = metric.bootstrap;
    table.rows.push_back({metric.name,
                          short_number(test.first),
                          short_number(test.second),
                          short_number(test.difference),
                          short_number(test.low) + " to " + short_number(test.high),
                          short_number(test.second_wins),
                          short_number(test.p_value),
                          short_number(metric.p_randomization)});
  }
  return fmt::format(
      "a: {}\nb: {}\n{} examples\n\n{}", comparison.a, comparison.b, comparison.examples, plain_table(table));
}

}  // namespace lmzoo
