#include <cstdio>

#include "base/check.h"
#include "cli/config_flags.h"
#include "train/loop/stop_signal.h"
#include "train/run/assemble.h"
#include "train/run/train_run.h"

namespace lmzoo {
namespace {

std::string summary(const std::string& run, const TrainResult& result) {
  std::string text = fmt::format("{}: {} steps, {} tokens", run, result.state.step, result.state.tokens);
  if (result.valid) {
    for (const auto& [name, value] : result.valid->values()) {
      text += fmt::format(", valid {} {:g}", name, value);
    }
  }
  return text + (result.reason == StopReason::early ? " (stopped early)" : "") + "\n";
}

int report(const std::string& run, const TrainResult& result) {
  if (result.reason == StopReason::signal) {
    std::fprintf(stderr,
                 "stopped by signal %d after step %lld, which is saved; go on with --resume\n",
                 result.signal,
                 static_cast<long long>(result.state.step));
    return 128 + result.signal;
  }
  print(summary(run, result));
  return 0;
}

}  // namespace

int run_train(const Command& self, const Strings& arguments) {
  const StopSignal signals;  // before anything is made
  Flags flags(self);
  add_config_flags(flags);
  flags.value("out", "DIR", "the run's folder; default runs/NAME");
  flags.toggle("resume", "go on with the run that is there (also if none is there yet)");
  flags.toggle("allow-other-data",
               "with --resume: also when the text or the tokenizer is another than before");
  if (!flags.parse(arguments)) {
    return 0;
  }
  const Registry registry = make_registry();
  const LoadedConfig loaded = read_config(flags, registry);
  const std::string run = flags.text("out", "runs/" + loaded.config.name);
  return report(run,
                train_run(loaded,
                          registry,
                          run,
                          {.resume = flags.has("resume"), .other_inputs = flags.has("allow-other-data")}));
}

}  // namespace lmzoo
