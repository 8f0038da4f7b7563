#include "infer/tasks/evaluate_run.h"

#include <algorithm>

#include "base/check.h"
#include "base/strings.h"
#include "infer/ask/write_targets.h"
#include "train/loop/stop_signal.h"

namespace lmzoo {
namespace {

RunText chosen_text(const RunConfig& config, const EvaluationText& text) {
  const std::vector<RunText> all = run_texts(config);
  const std::string usual = config.data.test && !text.files.empty() ? "test" : "valid";
  const std::string split = text.split.empty() ? usual : text.split;
  std::vector<std::string> legal{"train", "valid", "test"};
  for (const RunText& known : all) {
    if (std::ranges::find(legal, known.name) == legal.end()) {
      legal.push_back(known.name);
    }
  }
  check(std::ranges::find(legal, split) != legal.end(),
        "--split is '{}'; legal: {}{}",
        split,
        joined(legal),
        suggestion(split, legal));
  const auto found = std::ranges::find(all, split, &RunText::name);
  if (!text.files.empty()) {
    RunText other = found != all.end() ? *found : all.front();
    other.name = "data";
    other.key = "data.data";
    other.options.files = text.files;
    return other;
  }
  check(found != all.end(), "this run has no data.{}; name a text with --data FILE", split);
  return *found;
}

}  // namespace

EvaluationData evaluation_data(const LoadedRun& run, const EvaluationText& text) {
  const RunText chosen = chosen_text(run.config.config, text);
  const std::optional<std::vector<std::string>> classes =
      run.parts.classes.empty() || !chosen.is_main() ? std::nullopt : std::optional(run.parts.classes);
  LoadedConfig told = run.config;
  told.config.data.cache_dir = text.cache.empty() ? DataOptions{}.cache_dir : text.cache;
  const auto store =
      open_store(told, chosen.key, chosen.options, run.tokenizer, classes, ProgressBar::Style::automatic);
  const Windows windows = make_windows(run.config, *run.parts.objective, run.parts.vocabulary, store);
  const MixedWindows mixed(windows, chosen.corpus);
  EvaluationData data{.windows = windows,
                      .set = make_eval_set(chosen.name, mixed, run.parts, run.config.config),
                      .notes = text_notes(chosen.name, chosen.options, windows)};
  look_at_samples(data.notes, *run.parts.objective, mixed);
  return data;
}

void set_objective(LoadedRun& run, const std::string& objective, const Registry& registry) {
  if (objective == run.config.config.objective.type) {
    return;
  }
  LoadedConfig other = run.config;
  other.config.objective = {.type = objective, .options = registry.objective(objective).defaults};
  Parts parts = build_parts(other, registry, run.parts.vocabulary, run.parts.classes);
  check(parts.objective->parameters().empty(),
        "--task {} has weights of its own, and this run was trained on {}",
        objective,
        run.config.config.objective.type);
  run.config = std::move(other);
  run.parts.objective = parts.objective;
  run.parts.objective->eval();
}

EvalResult evaluate_run(LoadedRun& run, const EvaluationData& data, EvalSettings settings) {
  settings.precision = run.config.config.train.precision;
  settings.device = run.device;
  auto result = evaluate(*run.parts.model, *run.parts.objective, data.set, settings);
  throw_if_stopped();
  if (writes_targets(run.parts, data.windows)) {
    ProgressBar bar("texts", "");
    const TaskPredictions texts = write_targets(run.parts, *run.tokenizer, data.windows, bar.callback());
    bar.finish();
    result->metrics = task_metrics(texts);
    result->predictions = std::make_shared<const TaskPredictions>(texts);
  }
  return *result;
}

}  // namespace lmzoo
