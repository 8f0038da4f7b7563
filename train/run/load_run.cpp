// load_run of assemble.h.
#include "base/check.h"
#include "base/utf8.h"
#include "core/device.h"
#include "core/machine_memory.h"
#include "core/parameters.h"
#include "core/tensor_file.h"
#include "nn/parameter.h"
#include "tokenizer/vocabulary_of.h"
#include "train/run/assemble.h"
#include "train/run/no_objective.h"
#include "train/run/published.h"
#include "train/saved/checkpoint.h"
#include "train/saved/run_files.h"

namespace lmzoo {
namespace {

LoadedRun load_trained(const std::string& path, const Registry& registry, const std::string& device) {
  LoadedRun run;
  run.folder = run_of(path);
  const LoadedConfig whole = read_run_config(config_file(run.folder), {}, registry, ReadFor::asking);
  run.device = choose_device({.name = device.empty() ? whole.config.train.device : device}).device;
  run.checkpoint = resolve_checkpoint(path);
  const TrainState state = read_state(run.checkpoint);
  run.config = phase_of(whole, static_cast<size_t>(state.phase));
  run.tokenizer = load_tokenizer(tokenizer_folder(run.folder));
  run.parts = build_parts_to_ask(run.config,
                                 registry,
                                 vocabulary_of(*run.tokenizer),
                                 whole.phases.empty() ? read_classes(run.folder) : state.classes);
  prepare_fine_tuning(run.parts, run.config.config);
  if (!has_shapes_only()) {
    read_tensors(run.checkpoint + "/model.safetensors", weights(*run.parts.model, *run.parts.objective));
  }
  return run;
}

}  // namespace

Parts build_parts_to_ask(const LoadedConfig& loaded,
                         const Registry& registry,
                         const Vocabulary& vocabulary,
                         const std::vector<std::string>& classes) {
  check_weights_fit(loaded, registry, vocabulary, usable_memory());
  const UnsetScope unset;
  try {
    return build_parts(loaded, registry, vocabulary, classes);
  } catch (const InputError& error) {
    if (!loaded.config.is_published()) {
      throw;  // it was trained here, so this is no question of a checkpoint from elsewhere
    }
    const RunConfig& config = loaded.config;
    Parts parts{.model = registry.model(config.model.type)
                             .make(config.model.options,
                                   {.vocabulary = vocabulary, .sequence_length = config.model_length()}),
                .objective = std::make_shared<NoObjective>(error.what()),
                .vocabulary = vocabulary,
                .classes = classes,
                .reading = reading_of(config)};
    settle_reading(parts, config);
    return parts;
  }
}

LoadedRun load_run(const std::string& path, const Registry& registry, const std::string& device) {
  LoadedRun run = is_huggingface_folder(path) ? load_huggingface(path, registry, device).run
                                              : load_trained(path, registry, device);
  if (!has_shapes_only()) {
    run.parts.model->to(run.device);
    run.parts.objective->to(run.device);
  }
  run.parts.model->eval();
  run.parts.objective->eval();
  return run;
}

FurtherModel open_frozen(const std::string& path, const Registry& registry, const Vocabulary& vocabulary) {
  check(!path.empty(), "no teacher is named; legal: a run, a checkpoint or a Hugging Face folder");
  const LoadedRun run = load_run(path, registry, "cpu");
  const RunConfig& config = run.config.config;
  check(!run.parts.model->of_words(), "{}: is a run of word vectors, not of a network", printable(path));
  check(run.parts.vocabulary.size == vocabulary.size,
        "{}: has a vocabulary of {} ids, but this run's tokenizer has {}; tokenizer: {{from: {}}} takes its "
        "own",
        printable(path),
        run.parts.vocabulary.size,
        vocabulary.size,
        printable(path));
  for (const Tensor& weight : run.parts.model->parameters()) {
    weight.set_requires_grad(false);
  }
  return {.name = path,
          .type = config.model.type,
          .options = config.model.options,
          .model = run.parts.model,
          .file = run.checkpoint == run.folder ? run.folder : run.checkpoint + "/model.safetensors"};
}

PortableRun portable(const Parts& parts, const RunConfig& config) {
  return {.folder = "",
          .model_type = config.model.type,
          .objective_type = config.objective.type,
          .model_options = config.model.options,
          .objective_options = config.objective.options,
          .model = parts.model,
          .objective = parts.objective,
          .tokenizer = nullptr,
          .classes = parts.classes,
          .lora = config.fine_tune.lora,
          .asked = {.ask = config.ask,
                    .prompt = asked_text(config).prefix.empty() ? "" : asked_text(config).prefix.front()}};
}

PortableRun portable(const LoadedRun& run) {
  PortableRun made = portable(run.parts, run.config.config);
  made.folder = run.folder;
  made.tokenizer = run.tokenizer;
  return made;
}

PortableRun portable_further(const LoadedRun& run, const std::string& name) {
  std::vector<std::string> known;
  for (const FurtherModel& further : run.parts.objective->further_models()) {
    if (!further.file.empty()) {
      continue;  // asked only, and there already
    }
    known.push_back(further.name);
    if (further.name == name) {
      PortableRun made = portable(run);
      made.model_type = further.type;
      made.model_options = further.options;
      made.model = further.model;
      made.objective = std::make_shared<NoObjective>("a " + name + " has no objective of its own");
      return made;
    }
  }
  throw InputError(fmt::format("--model: {} trains no model '{}' beside its own; it trains: {}",
                               run.config.config.objective.type,
                               printable(name, 40),
                               known.empty() ? "none" : joined(known)));
}

}  // namespace lmzoo
