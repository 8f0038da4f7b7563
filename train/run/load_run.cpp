// load_run of assemble.h.
#include "base/check.h"
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
  read_tensors(run.checkpoint + "/model.safetensors", weights(*run.parts.model, *run.parts.objective));
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
  run.parts.model->to(run.device);
  run.parts.objective->to(run.device);
  run.parts.model->eval();
  run.parts.objective->eval();
  return run;
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
                    .prompt = config.data.train.prefix.empty() ? "" : config.data.train.prefix.front()}};
}

PortableRun portable(const LoadedRun& run) {
  PortableRun made = portable(run.parts, run.config.config);
  made.folder = run.folder;
  made.tokenizer = run.tokenizer;
  return made;
}

}  // namespace lmzoo
