#include "cli/evaluation.h"

#include "base/check.h"
#include "infer/ask/write_targets.h"
#include "train/loop/stop_signal.h"

namespace lmzoo {
namespace {

// The text to evaluate on: files in the format of the run's data, or one of its splits.
std::pair<std::string, TextOptions> chosen_text(const Flags& flags, const DataOptions& data) {
  const std::string split = flags.text("split", data.test && flags.has("data") ? "test" : "valid");
  check(split == "train" || split == "valid" || split == "test",
        "--split is '{}'; legal: train, valid, test{}",
        split,
        suggestion(split, {"train", "valid", "test"}));
  const std::optional<TextOptions> known = split == "train"   ? data.train
                                           : split == "valid" ? data.valid
                                                              : data.test;
  if (flags.has("data")) {
    TextOptions text = known.value_or(data.train);
    text.files = flags.all("data");
    return {"data", text};
  }
  check(known.has_value(), "this run has no data.{}; name a text with --data FILE", split);
  return {split, *known};
}

}  // namespace

void add_evaluation_flags(Flags& flags) {
  flags.value("split", "NAME", "train, valid or test of the run's data; default valid");
  flags.repeated("data", "FILE", "other text, in the format of the run's data; may be repeated");
  flags.value("device", "NAME", "auto, cpu, cuda or cuda:N; default: the run's");
  flags.value("threads", "N", "threads of the CPU; default: one for each core");
}

ChosenData chosen_data(const Flags& flags, const LoadedRun& run) {
  const auto [name, text] = chosen_text(flags, run.config.config.data);
  const std::optional<Strings> classes =
      run.parts.classes.empty() ? std::nullopt : std::optional(run.parts.classes);
  const auto store =
      open_store(run.config, "data." + name, text, run.tokenizer, classes, ProgressBar::Style::automatic);
  const Windows windows = make_windows(run.config, *run.parts.objective, run.parts.vocabulary, store);
  return {.windows = windows, .set = make_eval_set(name, windows, run.parts, run.config.config)};
}

EvalResult evaluate_run(LoadedRun& run, const ChosenData& data, EvalSettings settings) {
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

Json to_json(const NamedNumbers& numbers) {
  Json object = Json::object();
  for (const auto& [name, value] : numbers) {
    const bool whole = name == "labels" || name == "tokens";
    object[name] = whole ? Json(static_cast<int64_t>(value)) : Json(value);
  }
  return object;
}

}  // namespace lmzoo
