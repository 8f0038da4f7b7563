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
#include "train/run/phases.h"
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

namespace {

// What all phases of a run have.
struct RunSetting {
  const LoadedConfig& loaded;
  const Registry& registry;
  const std::string& run;
  const GoOn& go_on;
  at::Device device;
  int64_t threads;
};

// Where a phase begins: afresh, or behind the newest checkpoint.
struct PhaseBegin {
  PhaseSpan span;
  std::vector<int64_t> kept;           // the ends of other phases
  bool first_time = false;             // the run has no checkpoint
  bool resume = false;                 // there is a checkpoint, of this phase or the one before
  std::vector<std::string> classes{};  // of a phase that goes on
};

TrainResult train_phase(const RunSetting& set, const PhaseBegin& begin, const Told& told) {
  const LoadedConfig& loaded = phase_of(set.loaded, static_cast<size_t>(begin.span.place.number));
  const RunConfig& config = loaded.config;
  Assembled parts = assemble(loaded,
                             set.registry,
                             {.device = set.device,
                              .tokenizer_folder = known_tokenizer(set.run),
                              .classes = begin.classes,
                              .warm = begin.first_time});
  log_new(parts.texts, told);
  log(parts.warm_started_from.empty() ? "" : "begins from " + parts.warm_started_from);
  log(parts.tokenizer_note);
  log(parts.embedding_note);
  if (!parts.warm_started_from.empty()) {
    parts.inputs["starting weights"] = content_of(parts.warm_started_from);
  }
  throw_if_stopped();  // from here on the loop saves what there is
  write_run_folder(set.run, set.loaded.config, *parts.tokenizer, parts.parts.classes);
  std::vector<std::string> names;
  std::ranges::transform(parts.parts.corpora, std::back_inserter(names), &CorpusShape::name);
  std::vector<EvalSet> further;
  if (!parts.valid.empty()) {
    further.assign(parts.valid.begin() + 1, parts.valid.end());
  }
  PhasePlace place = begin.span.place;
  place.classes = place.name.empty() ? std::vector<std::string>{} : parts.parts.classes;
  TrainOptions train_options = config.train;
  train_options.steps = place.first_step + parts.steps;
  std::vector<int64_t> milestones = parts.milestones;
  milestones.insert(milestones.end(), begin.kept.begin(), begin.kept.end());
  std::ranges::sort(milestones);
  const TrainJob job{.model = *parts.parts.model,
                     .objective = *parts.parts.objective,
                     .optimizer = *parts.optimizer,
                     .lr = config.optimizer.lr,
                     .batches = *parts.batches,
                     .valid = parts.valid.empty() ? std::nullopt : std::optional(parts.valid.front()),
                     .further_valid = further,
                     .corpora = names,
                     .train = train_options,
                     .eval = config.eval,
                     .schedule = config.schedule,
                     .unfreezing = parts.unfreezing,
                     .probe = config.fine_tune.probe,
                     .seed = config.stream_seed(),
                     .device = set.device,
                     .run = set.run,
                     .resume = begin.resume,
                     .identity = identity(set.threads, set.device),
                     .inputs = parts.inputs,
                     .other_inputs = set.go_on.other_inputs,
                     .milestones = milestones,
                     .texts = rows_of(parts.texts),
                     .phase = place};
  ProgressBar bar(place.name.empty() ? config.name : config.name + " " + place.name, "step");
  return train(job, bar);
}

// The classes of the run, or of the phase of its newest checkpoint.
std::vector<std::string> classes_so_far(const RunSetting& set, size_t phase) {
  if (set.loaded.phases.empty()) {
    return read_classes(set.run);
  }
  const auto state = state_of_newest(set.run);
  return state && static_cast<size_t>(state->phase) == phase ? state->classes : std::vector<std::string>{};
}

TrainResult train_phases(const RunSetting& set, bool goes_on, const Told& told) {
  const bool several = !set.loaded.phases.empty();
  const std::string known = known_tokenizer(set.run);
  const auto tokenizer = !several ? nullptr
                         : known.empty()
                             ? make_run_tokenizer(phase_of(set.loaded, 0), ProgressBar::Style::automatic)
                             : load_tokenizer(known);
  const std::vector<PhaseSpan> spans = phase_spans(set.loaded, set.registry, tokenizer);
  for (size_t phase = goes_on ? current_phase(set.run, spans) : 0;; ++phase) {
    const bool first_time = list_checkpoints(set.run).empty();
    TrainResult result =
        train_phase(set,
                    {.span = spans[phase],
                     .kept = phase_ends(spans),
                     .first_time = first_time,
                     .resume = set.go_on.resume || !first_time,
                     .classes = goes_on ? classes_so_far(set, phase) : std::vector<std::string>{}},
                    told);
    if (result.reason != StopReason::finished || phase + 1 == spans.size()) {
      return result;
    }
  }
}

}  // namespace

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
    told = all_warnings(plan);
  }
  throw_if_stopped();
  if (trains_word_vectors(config)) {
    return train_words(loaded, registry, run, go_on, threads, told);
  }
  log(device.note);
  if (goes_on && !device.device.is_cpu() && !config.train.deterministic) {
    log("on a GPU a run goes on bit for bit only with train.deterministic");
  }
  return train_phases({loaded, registry, run, go_on, device.device, threads}, goes_on, told);
}

}  // namespace lmzoo
