#include "infer/report/compare.h"

#include "cli/evaluation_flags.h"
#include "cli/query_flags.h"
#include "core/cpu_setup.h"
#include "train/loop/stop_signal.h"

namespace lmzoo {

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
  const ComparisonRequest request{
      .text = evaluation_text_of(flags),
      .metrics = flags.all("metric"),
      .test = {.resamples = flags.integer("resamples", 1000, between(1, 1'000'000)),
               .trials = flags.integer("trials", 10000, between(1, 1'000'000)),
               .seed = static_cast<uint64_t>(flags.integer("seed", 12345, at_least(0)))}};
  const StopSignal signals;
  set_up_cpu(flags.integer("threads", 0, between(1, kMostThreads)));
  const Registry registry = make_registry();
  LoadedRun a = load_run(run_argument(flags, "RUN_A"), registry, flags.text("device"));
  LoadedRun b = load_run(run_argument(flags, "RUN_B"), registry, flags.text("device"));
  const Comparison comparison = compare_runs(a, b, request);
  flags.has("json") ? print(to_json(comparison)) : print(to_text(comparison));
  return 0;
}

}  // namespace lmzoo
