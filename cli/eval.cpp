#include "cli/flags.h"
#include "core/check.h"
#include "core/cpu_setup.h"
#include "train/assemble.h"
#include "train/evaluate.h"
#include "train/stop_signal.h"

namespace lmzoo {
namespace {

// The text to evaluate on: files in the format of the run's data, or one of its splits.
std::pair<std::string, TextOptions> chosen_text(const Flags& flags, const DataOptions& data) {
  const std::string split = flags.text("split", data.test && flags.has("data") ? "test" : "valid");
  check(split == "train" || split == "valid" || split == "test",
        "--split is '",
        split,
        "'; legal: train, valid, test",
        suggestion(split, {"train", "valid", "test"}));
  const std::optional<TextOptions> known = split == "train"   ? data.train
                                           : split == "valid" ? data.valid
                                                              : data.test;
  if (flags.has("data")) {
    TextOptions text = known.value_or(data.train);
    text.files = flags.all("data");
    return {"data", text};
  }
  check(known.has_value(), "this run has no data.", split, "; name a text with --data FILE");
  return {split, *known};
}

// The run's own objective, or another one that needs no weights of its own.
void choose_task(LoadedRun& run, const std::string& task, const Registry& registry) {
  if (task.empty() || task == run.config.config.objective.type) {
    return;
  }
  LoadedConfig other = run.config;
  other.config.objective = {.type = task, .options = registry.objective(task).defaults};
  Parts parts = build_parts(other, registry, run.parts.vocabulary, run.parts.classes);
  check(parts.objective->parameters().empty(),
        "--task ",
        task,
        " has weights of its own, and this run was trained on ",
        run.config.config.objective.type);
  run.config = std::move(other);
  run.parts.objective = parts.objective;
  run.parts.objective->eval();
}

std::string to_text(const Json& result) {
  std::string text;
  for (const auto& [name, value] : result.items()) {
    text += name + std::string(name.size() < 16 ? 16 - name.size() : 1, ' ') +
            (value.is_string() ? value.get<std::string>() : value.dump()) + "\n";
  }
  return text;
}

}  // namespace

int run_eval(const Command& self, const Strings& arguments) {
  Flags flags(self);
  flags.positional("RUN", "a run folder or a checkpoint folder");
  flags.value("split", "NAME", "train, valid or test of the run's data; default valid");
  flags.repeated("data", "FILE", "other text, in the format of the run's data; may be repeated");
  flags.value("task", "NAME", "another objective than the run's, with its default options");
  flags.value("device", "NAME", "auto, cpu, cuda or cuda:N; default: the run's");
  flags.value("threads", "N", "threads of the CPU; default: one for each core");
  flags.toggle("json", "print JSON");
  if (!flags.parse(arguments)) {
    return 0;
  }
  const StopSignal signals;
  set_up_cpu(flags.integer("threads", 0, between(1, 4096)));
  const Registry registry = make_registry();
  LoadedRun run = load_run(flags.text("RUN"), registry, flags.text("device"));
  choose_task(run, flags.text("task"), registry);
  const auto [name, text] = chosen_text(flags, run.config.config.data);
  const std::optional<Strings> classes =
      run.parts.classes.empty() ? std::nullopt : std::optional(run.parts.classes);
  const auto store =
      open_store(run.config, "data." + name, text, run.tokenizer, classes, ProgressBar::Style::automatic);
  const Windows windows = make_windows(run.config, *run.parts.objective, run.parts.vocabulary, store);
  const EvalSet data = make_eval_set(name, windows, run.parts, run.config.config);
  const auto result = evaluate(*run.parts.model,
                               *run.parts.objective,
                               data,
                               {.precision = run.config.config.train.precision, .device = run.device});
  throw_if_stopped();
  Json out{{"run", run.folder},
           {"checkpoint", run.checkpoint},
           {"task", run.config.config.objective.type},
           {"data", name}};
  for (const auto& [metric, value] : result->values()) {
    const bool whole = metric == "labels" || metric == "tokens";
    out[metric] = whole ? Json(static_cast<int64_t>(value)) : Json(value);
  }
  flags.has("json") ? print(out) : print(to_text(out));
  return 0;
}

}  // namespace lmzoo
