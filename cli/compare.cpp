#include <cmath>
#include <cstdio>

#include "base/check.h"
#include "cli/evaluation.h"
#include "core/cpu_setup.h"
#include "infer/report/report.h"
#include "metrics/bootstrap.h"
#include "train/loop/stop_signal.h"

namespace lmzoo {
namespace {

// What a run predicts of the chosen data.
TaskPredictions predictions_of(LoadedRun& run, const Flags& flags) {
  const EvalResult result = evaluate_run(run, chosen_data(flags, run), {.keep_predictions = true});
  check(result.predictions != nullptr,
        "{}: {} predicts no classes, numbers, tags or answers that could be compared",
        run.folder,
        run.config.config.objective.type);
  return *result.predictions;
}

Json compared(const TaskPredictions& both, const std::string& metric, const TestOptions& options) {
  const ScoreOf score = metric_of(both, metric);
  const int64_t examples = example_count(both) / 2;
  const PairedBootstrap test = paired_bootstrap(score, examples, options);
  return {{"metric", metric},
          {"a", test.first},
          {"b", test.second},
          {"difference", test.difference},
          {"low", test.low},
          {"high", test.high},
          {"b_wins", test.second_wins},
          {"p_bootstrap", test.p_value},
          {"p_randomization", approximate_randomization(score, examples, options)}};
}

std::string compare_text(const Json& result) {
  html::Table table{
      .head = {"metric", "a", "b", "b - a", "95 % interval", "b wins", "p bootstrap", "p randomization"},
      .rows = {}};
  const auto number = [](const Json& value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.4g", value.get<double>());
    return std::string(text);
  };
  for (const Json& row : result["metrics"]) {
    table.rows.push_back({row["metric"].get<std::string>(),
                          number(row["a"]),
                          number(row["b"]),
                          number(row["difference"]),
                          number(row["low"]) + " to " + number(row["high"]),
                          number(row["b_wins"]),
                          number(row["p_bootstrap"]),
                          number(row["p_randomization"])});
  }
  return fmt::format("a: {}\nb: {}\n{} examples\n\n{}",
                     result["a"].get<std::string>(),
                     result["b"].get<std::string>(),
                     result["examples"].dump(),
                     plain_table(table));
}

}  // namespace

int run_compare(const Command& self, const Strings& arguments) {
  Flags flags(self);
  flags.positional("RUN_A", "a run folder or a checkpoint folder");
  flags.positional("RUN_B", "another one, evaluated on the same examples");
  add_evaluation_flags(flags);
  flags.repeated("metric", "NAME", "a metric of the task; default: the usual ones");
  flags.value("resamples", "N", "of the paired bootstrap; default 1000");
  flags.value("trials", "N", "of the approximate randomization; default 10000");
  flags.value("seed", "N", "of both; default 12345, as sacreBLEU's");
  flags.toggle("json", "print JSON");
  if (!flags.parse(arguments)) {
    return 0;
  }
  const TestOptions options{.resamples = flags.integer("resamples", 1000, between(1, 1'000'000)),
                            .trials = flags.integer("trials", 10000, between(1, 1'000'000)),
                            .seed = static_cast<uint64_t>(flags.integer("seed", 12345, at_least(0)))};
  const StopSignal signals;
  set_up_cpu(flags.integer("threads", 0, between(1, 4096)));
  const Registry registry = make_registry();
  LoadedRun a = load_run(flags.text("RUN_A"), registry, flags.text("device"));
  LoadedRun b = load_run(flags.text("RUN_B"), registry, flags.text("device"));
  check(a.parts.classes == b.parts.classes, "{} knows other classes than {}", b.folder, a.folder);
  const TaskPredictions of_a = predictions_of(a, flags);
  const TaskPredictions both = side_by_side(of_a, predictions_of(b, flags));
  Json result{{"a", a.checkpoint},
              {"b", b.checkpoint},
              {"examples", example_count(of_a)},
              {"metrics", Json::array()}};
  for (const std::string& metric : flags.has("metric") ? flags.all("metric") : usual_metric_names(of_a)) {
    result["metrics"].push_back(compared(both, metric, options));
    throw_if_stopped();
  }
  flags.has("json") ? print(result) : print(compare_text(result));
  return 0;
}

}  // namespace lmzoo
