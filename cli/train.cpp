#include "cli/train.h"

#include <cstdio>

#include <ATen/Version.h>
#include <torch/version.h>

#include "base/check.h"
#include "cli/config_flags.h"
#include "cli/version.h"
#include "core/cpu_setup.h"
#include "core/isa.h"
#include "train/run/plan.h"
#include "train/loop/loop.h"
#include "train/loop/stop_signal.h"
#include "train/saved/checkpoint.h"
#include "train/run/run_folder.h"
#include "train/config/word_settings.h"
#include "train/words/train.h"

namespace lmzoo {
namespace {

void log(const std::string& line) {
  if (!line.empty()) {
    std::fprintf(stderr, "%s\n", line.c_str());
  }
}

// What the bits of a run depend on beside its configuration.
std::map<std::string, std::string> identity(int64_t threads, const at::Device& device) {
  return {{"lmzoo", version()},
          {"libtorch", TORCH_VERSION},
          {"device", device.str()},
          {"threads", std::to_string(threads)},
          {"cpu",
           fmt::format("{} {}{}",
                       at::get_cpu_capability(),
                       name_of(isa()),
                       mkl_dispatch_changed() ? " mkl-avx512" : "")}};
}

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
    log(fmt::format("stopped by signal {} after step {}, which is saved; go on with --resume",
                    result.signal,
                    result.state.step));
    return 128 + result.signal;
  }
  print(summary(run, result));
  return 0;
}

// Word vectors have no batches and no autograd, so a loop of their own.
TrainResult train_words(const LoadedConfig& loaded,
                        const Registry& registry,
                        const std::string& run,
                        bool resume,
                        int64_t threads) {
  const RunConfig& config = loaded.config;
  WordVectorParts made = assemble_word_vectors(loaded, registry, is_run(run) ? tokenizer_folder(run) : "");
  write_run_folder(run, config, *made.tokenizer, {});
  ProgressBar bar(config.name, "word");
  return train_word_vectors({.config = config,
                             .parts = made.parts,
                             .store = made.store,
                             .run = run,
                             .resume = resume,
                             .threads = threads,
                             .valid = made.valid,
                             .identity = identity(threads, at::kCPU)},
                            bar);
}

}  // namespace

TrainResult train_run(const LoadedConfig& loaded,
                      const Registry& registry,
                      const std::string& run,
                      bool resume) {
  const RunConfig& config = loaded.config;
  check_run_folder(run, config, resume);
  const bool goes_on = !list_checkpoints(run).empty();
  const int64_t threads = set_up_cpu(config.train.threads);
  if (!goes_on) {
    log(to_text(make_plan(loaded, registry)));
  }
  if (trains_word_vectors(config)) {
    return train_words(loaded, registry, run, resume, threads);
  }
  const DeviceChoice device =
      loaded.places.locate("train.device", [&] { return choose_device(config.train.device); });
  log(device.note);
  Assembled parts = assemble(loaded,
                             registry,
                             {.device = device.device,
                              .tokenizer_folder = is_run(run) ? tokenizer_folder(run) : "",
                              .warm = !goes_on});
  log(parts.warm_started_from.empty() ? "" : "begins from " + parts.warm_started_from);
  log(parts.embedding_note);
  write_run_folder(run, config, *parts.tokenizer, parts.parts.classes);
  const TrainJob job{.model = *parts.parts.model,
                     .objective = *parts.parts.objective,
                     .optimizer = *parts.optimizer,
                     .batches = *parts.batches,
                     .valid = parts.valid,
                     .train = config.train,
                     .eval = config.eval,
                     .schedule = config.schedule,
                     .unfreezing = parts.unfreezing,
                     .probe = config.fine_tune.probe,
                     .seed = config.stream_seed(),
                     .device = device.device,
                     .run = run,
                     .resume = resume,
                     .identity = identity(threads, device.device)};
  ProgressBar bar(config.name, "step");
  return train(job, bar);
}

int run_train(const Command& self, const Strings& arguments) {
  Flags flags(self);
  add_config_flags(flags);
  flags.value("out", "DIR", "the run's folder; default runs/NAME");
  flags.toggle("resume", "go on with the run that is there (also if none is there yet)");
  if (!flags.parse(arguments)) {
    return 0;
  }
  const Registry registry = make_registry();
  const LoadedConfig loaded = read_config(flags, registry);
  const std::string run = flags.text("out", "runs/" + loaded.config.name);
  const StopSignal signals;
  return report(run, train_run(loaded, registry, run, flags.has("resume")));
}

}  // namespace lmzoo
