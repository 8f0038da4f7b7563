#include "train/run/assemble.h"

#include <algorithm>
#include <cmath>

#include <ATen/Parallel.h>

#include "base/check.h"
#include "base/rng.h"
#include "core/device.h"
#include "core/machine_memory.h"
#include "core/parameters.h"
#include "core/torch_error.h"
#include "data/batches/collate.h"
#include "data/store/build_token_store.h"
#include "io/files.h"
#include "nn/parameter.h"
#include "tokenizer/vocabulary_of.h"
#include "train/exchange/huggingface/peft.h"
#include "train/loop/lr_schedule.h"
#include "train/run/full_window.h"
#include "train/run/loader_source.h"
#include "train/run/milestones.h"
#include "train/run/run_texts.h"
#include "train/start/head_classes.h"
#include "train/start/other_pieces.h"

namespace lmzoo {

void register_models(Registry& registry);
void register_objectives(Registry& registry);
void register_optimizers(Registry& registry);

namespace {

// LibTorch's generator of the CPU draws initial weights: seeded from the run's seed and the part's number.
void seed_weights(const RunConfig& config, uint64_t part) {
  seed_generators(seed_of({.seed = config.stream_seed(), .sample = part, .purpose = Purpose::initialization}),
                  at::kCPU);
}

// Runs `make`, which builds a module: sizes that LibTorch refuses are wrong input.
template <class Make>
auto built(const Make& make) {
  try {
    return make();
  } catch (const c10::Error& error) {
    throw InputError("cannot be built: " + first_line(error));
  }
}

std::shared_ptr<Model> make_model(const LoadedConfig& loaded,
                                  const Registry& registry,
                                  const Vocabulary& vocabulary) {
  const RunConfig& config = loaded.config;
  return loaded.places.locate("model", [&] {
    seed_weights(config, 0);
    return built([&] {
      return registry.model(config.model.type)
          .make(config.model.options, {.vocabulary = vocabulary, .sequence_length = config.model_length()});
    });
  });
}

// The parts meet in a batch of one full window.
void check_together(const LoadedConfig& loaded, const Parts& parts) {
  const std::string reason = refusal(parts.objective->form(), *parts.model);
  if (!reason.empty()) {
    loaded.places.fail(
        "objective.type",
        loaded.config.objective.type + " does not go with model " + loaded.config.model.type + ": " + reason);
  }
  if (parts.objective->adapts() && (!loaded.config.data.valid || loaded.config.eval.every == 0)) {
    loaded.places.fail("objective", "adapts at each evaluation, so it needs data.valid and eval.every");
  }
  loaded.places.locate("model", [&] {
    const int64_t rows = parts.model->vocab_rows();
    check(rows >= parts.vocabulary.size,
          "has {} rows in its embedding, but the tokenizer has {} ids",
          rows,
          parts.vocabulary.size);
  });
  loaded.places.locate("data.sequence_length", [&] {
    const Batch batch =
        full_windows(*parts.objective, parts.model->architecture(), parts.vocabulary, parts.shape(), 1);
    const int64_t longest =
        std::max(batch.inputs.sequences.longest(), batch.inputs.decoder_sequences.longest());
    check(longest <= parts.model->max_length(),
          "a full window has a sequence of {} positions, but the model takes at most {}",
          longest,
          parts.model->max_length());
  });
}

GradualUnfreezing::Pace unfreezing_pace(const RunConfig& config, const MixedWindows& windows) {
  const UnfreezeOptions& options = *config.fine_tune.unfreeze;
  return options.unit == UnfreezeUnit::steps
             ? GradualUnfreezing::Pace{.step = 1, .level = options.every}
             : GradualUnfreezing::Pace{.step = config.train.batch_size,
                                       .level = options.every * windows.size()};
}

}  // namespace

Registry make_registry() {
  Registry registry;
  register_models(registry);
  register_objectives(registry);
  register_optimizers(registry);
  return registry;
}

ObjectiveContext objective_context(const Parts& parts, int64_t sequence_length, const Registry& registry) {
  ObjectiveContext context{.vocabulary = parts.vocabulary,
                           .architecture = parts.model->architecture(),
                           .sequence_length = sequence_length,
                           .width = parts.model->width(),
                           .classes = parts.classes,
                           .record = parts.record(),
                           .corpora = parts.corpora,
                           .pooler = parts.model->has_pooler(),
                           .blocks = parts.model->blocks()};
  const ModelContext model{.vocabulary = parts.vocabulary, .sequence_length = sequence_length};
  context.make_model = [model, registry](const NestedChoice& choice) {
    return registry.model(choice.type()).make(choice.options(), model);
  };
  context.make_model_on_embeddings = [model, registry, ours = parts.model](const NestedChoice& choice) {
    ModelContext shared = model;
    shared.embeddings = ours.get();
    return registry.model(choice.type()).make(choice.options(), shared);
  };
  context.is_asked = !draws_initial_weights();
  context.open_model = [vocabulary = parts.vocabulary, registry](const std::string& path) {
    return open_frozen(path, registry, vocabulary);
  };
  context.make_objective = [registry](const NestedChoice& choice, const ObjectiveContext& own) {
    auto made = registry.objective(choice.type()).make(choice.options(), own);
    const std::string reason = made->form().of_words ? "it learns word vectors, which no network holds"
                                                     : refusal(made->form(), own.architecture);
    check(reason.empty(), "{} does not go with this model: {}", choice.type(), reason);
    return made;
  };
  return context;
}

void check_weights_fit(const LoadedConfig& loaded,
                       const Registry& registry,
                       const Vocabulary& vocabulary,
                       uint64_t memory) {
  const MetaScope meta;
  const auto model = make_model(loaded, registry, vocabulary);
  uint64_t bytes = 0;
  for (const Tensor& weight : model->parameters()) {
    bytes += weight.nbytes();
  }
  loaded.places.locate("model", [&] {
    check(bytes <= memory,
          "has weights of {}, but there are {} of memory",
          human_bytes(bytes),
          human_bytes(memory));
  });
}

Parts build_parts(const LoadedConfig& loaded,
                  const Registry& registry,
                  const Vocabulary& vocabulary,
                  const std::vector<std::string>& classes) {
  const RunConfig& config = loaded.config;
  Parts parts{.model = nullptr, .objective = nullptr, .vocabulary = vocabulary, .classes = classes};
  parts.reading = reading_of(config);
  parts.corpora = corpus_shapes(config);
  parts.model = make_model(loaded, registry, vocabulary);
  parts.objective = loaded.places.locate("objective", [&] {
    seed_weights(config, 1);
    return registry.objective(config.objective.type)
        .make(config.objective.options, objective_context(parts, config.data.sequence_length, registry));
  });
  settle_reading(parts, config);
  check_together(loaded, parts);
  return parts;
}

Windows make_windows(const LoadedConfig& loaded,
                     const Objective& objective,
                     const Vocabulary& vocabulary,
                     std::shared_ptr<const TokenStore> store) {
  const DataOptions& data = loaded.config.data;
  const bool labeled = !store->classes().empty();
  const WindowOptions options{
      .kind = data.windows,
      .length = objective.lengths().raw,
      .long_documents =
          data.long_documents.value_or(labeled ? LongDocuments::truncate : LongDocuments::split),
      .overhead = objective.lengths().added,
      .separator = vocabulary.eos,
  };
  return loaded.places.locate("data.windows", [&] { return Windows(std::move(store), options); });
}

int64_t steps_of(const LoadedConfig& loaded, const MixedWindows& windows) {
  const RunConfig& config = loaded.config;
  if (const auto tokens = config.phase ? config.phase->tokens : std::nullopt) {
    const double a_window = windows.epoch_tokens() / static_cast<double>(windows.size());
    const double a_step = a_window * static_cast<double>(config.train.batch_size);
    return std::max<int64_t>(1, static_cast<int64_t>(std::ceil(*tokens / a_step)));
  }
  if (!config.train.epochs) {
    return config.train.steps;
  }
  const double drawn = static_cast<double>(*config.train.epochs) * static_cast<double>(windows.size());
  const int64_t steps = static_cast<int64_t>(std::ceil(drawn / static_cast<double>(config.train.batch_size)));
  loaded.places.locate("schedule", [&] {
    validate(config.schedule, {.lr = config.optimizer.lr, .steps = std::max<int64_t>(steps, 1), .width = 1});
  });
  return std::max<int64_t>(steps, 1);
}

std::shared_ptr<const Tokenizer> make_run_tokenizer(const LoadedConfig& loaded, ProgressBar::Style style) {
  const RunConfig& config = loaded.config;
  return loaded.places.locate("tokenizer", [&] {
    ProgressBar bar("tokenizer", "", style);
    return make_tokenizer(
        config.tokenizer, config.text_for_tokenizer(), config.data.cache_dir, bar.callback());
  });
}

std::shared_ptr<const TokenStore> open_store(const LoadedConfig& loaded,
                                             const std::string& key,
                                             const TextOptions& text,
                                             std::shared_ptr<const Tokenizer> tokenizer,
                                             const std::optional<std::vector<std::string>>& classes,
                                             ProgressBar::Style style) {
  return loaded.places.locate(key, [&] {
    ProgressBar bar(key, "", style);
    return build_token_store({.text = text,
                              .tokenizer = std::move(tokenizer),
                              .cache_dir = loaded.config.data.cache_dir,
                              .classes = classes,
                              .threads = static_cast<int>(at::get_num_threads())},
                             bar.callback());
  });
}

std::unique_ptr<Optimizer> make_optimizer(const LoadedConfig& loaded,
                                          const Registry& registry,
                                          OptimizerContext context) {
  const OptimizerChoice& choice = loaded.config.optimizer;
  return loaded.places.locate("optimizer", [&] {
    check(!context.parameters.empty(), "no parameter is trained: everything is frozen");
    context.clip_norm = choice.clip_norm;
    return registry.optimizer(choice.type).make(choice.options, std::move(context));
  });
}

std::vector<std::string> prepare_fine_tuning(const Parts& parts, const RunConfig& config) {
  return prepare_fine_tuning(*parts.model, *parts.objective, config.fine_tune, config.stream_seed());
}

namespace {

// With the classes of the run that goes on, or by row of the head that is taken over.
std::shared_ptr<const TokenStore> open_training_store(const LoadedConfig& loaded,
                                                      std::shared_ptr<const Tokenizer> tokenizer,
                                                      const AssembleOptions& options) {
  const RunConfig& config = loaded.config;
  const auto open = [&](const std::optional<std::vector<std::string>>& classes) {
    return open_store(loaded, "data.train", config.data.train, tokenizer, classes, options.style);
  };
  auto store = open(std::nullopt);
  if (store->classes().empty()) {
    return store;
  }
  std::vector<std::string> classes = options.classes;
  if (classes.empty()) {
    classes =
        loaded.places.locate("warm_start", [&] { return run_classes(config.warm_start, store->classes()); });
  }
  return classes == store->classes() ? store : open(classes);
}

// Cuts the texts for the objective: those to train on are returned, those to evaluate on become sets of the run.
MixedWindows open_texts(const LoadedConfig& loaded,
                        const std::shared_ptr<const TokenStore>& train,
                        const AssembleOptions& options,
                        Assembled& run) {
  std::vector<Windows> trained;
  for (const RunText& text : run_texts(loaded.config)) {
    if (text.use == TextUse::test) {
      continue;
    }
    auto store = train;
    if (text.name != "train") {
      const auto classes = text.is_main() ? std::optional(train->classes()) : std::nullopt;
      store = open_store(loaded, text.key, text.options, run.tokenizer, classes, options.style);
      add_input(text, *store, run.inputs);
    }
    const Windows windows = make_windows(loaded, *run.parts.objective, run.parts.vocabulary, store);
    if (options.warm) {
      run.texts.push_back(text_notes(text.name, text.options, windows));
      loaded.places.locate(text.key, [&] {
        look_at_samples(run.texts.back(), *run.parts.objective, {windows, text.corpus});
      });
    }
    if (text.use == TextUse::train) {
      trained.push_back(windows);
    } else {
      run.valid.push_back(make_eval_set(text.name, {windows, text.corpus}, run.parts, loaded.config));
    }
  }
  return mixed_windows(loaded, trained);
}

}  // namespace

Assembled assemble(const LoadedConfig& loaded, const Registry& registry, const AssembleOptions& options) {
  const RunConfig& config = loaded.config;
  Assembled run;
  run.tokenizer = options.tokenizer_folder.empty() ? make_run_tokenizer(loaded, options.style)
                                                   : load_tokenizer(options.tokenizer_folder);
  const Vocabulary vocabulary = vocabulary_of(*run.tokenizer);
  const auto store = open_training_store(loaded, run.tokenizer, options);
  run.inputs = inputs_of(*run.tokenizer, *store, nullptr);
  check_weights_fit(loaded, registry, vocabulary, usable_memory());
  run.parts = build_parts(loaded, registry, vocabulary, store->classes());
  const MixedWindows windows = open_texts(loaded, store, options, run);
  run.steps = steps_of(loaded, windows);
  run.milestones = milestones(loaded, windows, run.steps);
  run.batches = loaded.places.locate("data.train", [&] {
    return make_loader_source(windows,
                              loader_steps(run.parts, windows),
                              LoaderOptions{.mode = LoaderMode::train,
                                            .batch_size = config.micro_batch(),
                                            .step_windows = config.train.batch_size,
                                            .steps = run.steps,
                                            .seed = config.stream_seed(),
                                            .workers = config.data.workers,
                                            .prefetch = config.data.prefetch});
  });
  loaded.places.locate("objective",
                       [&] { run.inputs.merge(inputs_of_frozen(*run.parts.objective, *run.tokenizer)); });
  loaded.places.locate("warm_start", [&] {
    WarmStartOptions warm = config.warm_start;
    if (!options.warm) {
      warm.from.clear();
    }
    const WarmStartReport report =
        warm_start(*run.parts.model, *run.parts.objective, warm, config.objective.type);
    run.frozen = report.frozen;
    const std::string other = other_pieces(warm.from, *run.tokenizer);
    run.tokenizer_note =
        other.empty() ? "" : "warning: embeddings begin with those of other pieces: " + other;
    run.warm_started_from = report.file;
  });
  if (options.warm && !config.warm_start.vectors.from.empty()) {
    loaded.places.locate("warm_start.vectors", [&] {
      run.embedding_note = to_text(
          start_embedding(*run.parts.model, *run.tokenizer, config.warm_start.vectors, config.stream_seed()));
    });
  }
  run.adapted = loaded.places.locate("fine_tune", [&] { return prepare_fine_tuning(run.parts, config); });
  if (options.warm && !config.warm_start.adapter.empty()) {
    loaded.places.locate("warm_start.adapter",
                         [&] { fill_adapters(portable(run.parts, config), config.warm_start.adapter); });
  }
  run.parts.model->to(options.device);
  run.parts.objective->to(options.device);
  const NamedTensors trained = trainable(*run.parts.model, *run.parts.objective);
  run.optimizer =
      make_optimizer(loaded,
                     registry,
                     {.parameters = trained,
                      .rates = rate_multipliers(*run.parts.model, trained, config.fine_tune.layer_decay)});
  if (config.fine_tune.unfreeze) {
    run.unfreezing.emplace(*run.parts.model, trained, unfreezing_pace(config, windows));
  }
  return run;
}

}  // namespace lmzoo
