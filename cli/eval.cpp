#include "cli/evaluation_flags.h"
#include "cli/query_flags.h"
#include "core/cpu_setup.h"
#include "train/loop/stop_signal.h"
#include "train/saved/checkpoint.h"

namespace lmzoo {
namespace {

// Counts are whole.
Json to_json(const NamedNumbers& numbers) {
  Json object = Json::object();
  for (const auto& [name, value] : numbers) {
    const bool whole = name == "labels" || name == "tokens";
    object[name] = whole ? Json(static_cast<int64_t>(value)) : Json(value);
  }
  return object;
}

std::string eval_text(const Json& result) {
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
  add_evaluation_flags(flags);
  flags.value("task", "NAME", "another objective than the run's, with its default options");
  flags.toggle("json", "print JSON");
  if (!flags.parse(arguments)) {
    return 0;
  }
  const StopSignal signals;
  set_up_cpu(flags.integer("threads", 0, between(1, kMostThreads)));
  const Registry registry = make_registry();
  LoadedRun run = load_run(run_argument(flags), registry, flags.text("device"));
  if (flags.has("task")) {
    set_objective(run, flags.text("task"), registry);
  }
  const EvaluationData data = evaluation_data(run, evaluation_text_of(flags));
  for (const std::string& line : to_lines(data.notes)) {
    warn_on_stderr(line);
  }
  // The run's choice stands in its rows; who asks afterwards sees everything.
  const EvalResult result = evaluate_run(run, data, {.all_metrics = true});
  Json out{{"run", run.folder},
           {"checkpoint", run.checkpoint},
           {"task", run.config.config.objective.type},
           {"data", data.set.name}};
  out.update(to_json(result.values()));
  flags.has("json") ? print(out) : print(eval_text(out));
  return 0;
}

}  // namespace lmzoo
