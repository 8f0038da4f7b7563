#include "train/run/train_run.h"

#include <cstdio>

#include <ATen/Version.h>
#include <torch/version.h>

#include "base/check.h"
#include "base/version.h"
#include "base/visible.h"
#include "core/cpu_setup.h"
#include "core/isa.h"
#include "core/machine_memory.h"
#include "train/config/word_settings.h"
#include "train/loop/stop_signal.h"
#include "train/run/assemble.h"
#include "train/run/plan.h"
#include "train/run/run_folder.h"
#include "train/run/text_notes.h"
#include "train/saved/run_files.h"
#include "train/words/train.h"

namespace lmzoo {
namespace {

void log(const std::string& line) {
  if (!line.empty()) {
    std::fprintf(stderr, "%s\n", visible(line).c_str());
  }
}

// What the bits of a run depend on beside its configuration.
std::map<std::string, std::string> identity(int64_t threads, const at::Device& device) {
  return {{"gpu", device.is_cpu() ? "none" : gpu_description()},
          {"lmzoo", version()},
          {"libtorch", TORCH_VERSION},
          {"device", device.str()},
          {"threads", std::to_string(threads)},
          {"cpu",
           fmt::format("{} {}{}",
                       at::get_cpu_capability(),
                       name_of(isa()),
                       mkl_dispatch_changed() ? " mkl-avx512" : "")}};
}

// The tokenizer of a run that is there already; empty: none is.
std::string known_tokenizer(const std::string& run) { return is_run(run) ? tokenizer_folder(run) : ""; }

// What a plan has told already; none: a run that goes on told it when it began.
using Told = std::optional<std::vector<std::string>>;

// What is known of the texts once they are encoded, and was not told before.
void log_new(const std::vector<TextNotes>& texts, const Told& told) {
  if (!told) {
    return;
  }
  for (const TextNotes& text : texts) {
    for (const std::string& line : to_lines(text)) {
      log(std::ranges::find(*told, line) == told->end() ? line : "");
    }
  }
}

std::vector<TextRow> rows_of(const std::vector<TextNotes>& texts) {
  std::vector<TextRow> rows;
  std::ranges::transform(texts, std::back_inserter(rows), to_row);
  return rows;
}

// Word vectors have no batches and no autograd, so a loop of their own.
TrainResult train_words(const LoadedConfig& loaded,
                        const Registry& registry,
                        const std::string& run,
                        const GoOn& go_on,
                        int64_t threads,
                        const Told& told) {
  const RunConfig& config = loaded.config;
  WordVectorParts made = assemble_word_vectors(loaded, registry, known_tokenizer(run));
  log_new(made.texts, told);
  throw_if_stopped();
  write_run_folder(run, config, *made.tokenizer, {});
  ProgressBar bar(config.name, "word");
  return train_word_vectors({.config = config,
                             .model = *made.parts.model,
                             .objective = *made.parts.objective,
                             .vocabulary = made.parts.vocabulary,
                             .store = made.store,
                             .run = run,
                             .resume = go_on.resume,
                             .threads = threads,
                             .valid = made.valid,
                             .identity = identity(threads, at::kCPU),
                             .inputs = made.inputs,
                             .other_inputs = go_on.other_inputs,
                             .texts = rows_of(made.texts)},
                            bar);
}

}  // namespace

DeviceChoice choose_device_of(const LoadedConfig& loaded) {
  const TrainOptions& train = loaded.config.train;
  if (trains_word_vectors(loaded.config)) {
    return {};
  }
  return loaded.places.locate("train.device", [&] {
    return choose_device({.name = train.device, .deterministic = train.deterministic});
  });
}

TrainResult train_run(const LoadedConfig& loaded,
                      const Registry& registry,
                      const std::string& run,
                      const GoOn& go_on) {
  const RunConfig& config = loaded.config;
  const RunLock lock(run);
  check_run_folder(run, config, go_on.resume);
  const bool goes_on = !list_checkpoints(run).empty();
  const int64_t threads =
      loaded.places.locate("train.threads", [&] { return set_up_cpu(config.train.threads); });
  const DeviceChoice device = choose_device_of(loaded);
  Told told;
  if (!goes_on) {
    const Plan plan = make_plan(loaded, registry);
    check_memory(loaded, plan, {.cpu = usable_memory(), .trains_on_cpu = device.device.is_cpu()});
    log(to_text(plan));
    told = plan.warnings;
  }
  throw_if_stopped();
  if (trains_word_vectors(config)) {
    return train_words(loaded, registry, run, go_on, threads, told);
  }
  log(device.note);
  if (goes_on && !device.device.is_cpu() && !config.train.deterministic) {
    log("on a GPU a run goes on bit for bit only with train.deterministic");
  }
  Assembled parts = assemble(loaded,
                             registry,
                             {.device = device.device,
                              .tokenizer_folder = known_tokenizer(run),
                              .classes = goes_on ? read_classes(run) : std::vector<std::string>{},
                              .warm = !goes_on});
  log_new(parts.texts, told);
  log(parts.warm_started_from.empty() ? "" : "begins from " + parts.warm_started_from);
  log(parts.tokenizer_note);
  log(parts.embedding_note);
  if (!parts.warm_started_from.empty()) {
    parts.inputs["starting weights"] = content_of(parts.warm_started_from);
  }
  throw_if_stopped();  // from here on the loop saves what there is
  write_run_folder(run, config, *parts.tokenizer, parts.parts.classes);
  TrainOptions train_options = config.train;
  train_options.steps = parts.steps;
  const TrainJob job{.model = *parts.parts.model,
                     .objective = *parts.parts.objective,
                     .optimizer = *parts.optimizer,
                     .lr = config.optimizer.lr,
                     .batches = *parts.batches,
                     .valid = parts.valid,
                     .train = train_options,
                     .eval = config.eval,
                     .schedule = config.schedule,
                     .unfreezing = parts.unfreezing,
                     .probe = config.fine_tune.probe,
                     .seed = config.stream_seed(),
                     .device = device.device,
                     .run = run,
                     .resume = go_on.resume,
                     .identity = identity(threads, device.device),
                     .inputs = parts.inputs,
                     .other_inputs = go_on.other_inputs,
                     .milestones = parts.milestones,
                     .texts = rows_of(parts.texts)};
  ProgressBar bar(config.name, "step");
  return train(job, bar);
}

}  // namespace lmzoo
