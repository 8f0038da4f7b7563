#include "infer/tasks/evaluate_run.h"

#include "base/check.h"
#include "base/strings.h"
#include "infer/ask/write_targets.h"
#include "train/loop/stop_signal.h"

namespace lmzoo {
namespace {

// Its name and where it is.
std::pair<std::string, TextOptions> chosen_text(const DataOptions& data, const EvaluationText& text) {
  const std::string usual = data.test && !text.files.empty() ? "test" : "valid";
  const std::string split = text.split.empty() ? usual : text.split;
  check(split == "train" || split == "valid" || split == "test",
        "--split is '{}'; legal: train, valid, test{}",
        split,
        suggestion(split, {"train", "valid", "test"}));
  const std::optional<TextOptions> known = split == "train"   ? data.train
                                           : split == "valid" ? data.valid
                                                              : data.test;
  if (!text.files.empty()) {
    TextOptions other = known.value_or(data.train);
    other.files = text.files;
    return {"data", other};
  }
  check(known.has_value(), "this run has no data.{}; name a text with --data FILE", split);
  return {split, *known};
}

}  // namespace

EvaluationData evaluation_data(const LoadedRun& run, const EvaluationText& text) {
  const auto [name, options] = chosen_text(run.config.config.data, text);
  const std::optional<std::vector<std::string>> classes =
      run.parts.classes.empty() ? std::nullopt : std::optional(run.parts.classes);
  LoadedConfig told = run.config;
  told.config.data.cache_dir = text.cache.empty() ? DataOptions{}.cache_dir : text.cache;
  const auto store =
      open_store(told, "data." + name, options, run.tokenizer, classes, ProgressBar::Style::automatic);
  const Windows windows = make_windows(run.config, *run.parts.objective, run.parts.vocabulary, store);
  EvaluationData data{.windows = windows,
                      .set = make_eval_set(name, windows, run.parts, run.config.config),
                      .notes = text_notes(name, options, windows)};
  look_at_samples(data.notes, *run.parts.objective, windows);
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
