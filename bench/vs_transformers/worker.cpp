// lmzoo's side of bench/vs_transformers: whole training steps on given weights and batches, driven over
// standard input.
//
//   bench_vs_transformers CONFIG FOLDER [KEY=VALUE ...]    CONFIG: one of the YAMLs beside this file;
//                                                          overrides as --set, and train.precision may also
//                                                          be fp64: weights and arithmetic in double precision
//
// FOLDER holds what make_inputs.py wrote. Every line "K" on standard input runs K steps and answers one JSON
// line: {"ms": [...], "loss": [...], "rss_mb": peak}; the first line printed says that it is ready.
#include <chrono>
#include <iostream>

#include <ATen/Parallel.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/zeros.h>

#include "core/cpu_setup.h"
#include "core/parameters.h"
#include "core/registry.h"
#include "core/tensor_file.h"
#include "io/safetensors.h"
#include "train/config/run_config.h"
#include "train/loop/metrics.h"
#include "train/loop/step.h"
#include "train/run/assemble.h"

namespace lmzoo {
namespace {

constexpr int64_t kIgnore = -100;  // of the peer's labels

Tensor tensor_of(const SafetensorsFile& file, const std::string& name) {
  const TensorView* view = file.find(name);
  check(view != nullptr, "{} has no tensor {}", file.path(), name);
  return to_tensor(*view, file.path());
}

// The peer's rows [B, S] (and labels) as a packed batch.
Batch packed(const Tensor& ids, const Tensor& labels, Architecture architecture) {
  const int64_t rows = ids.size(0);
  Batch batch;
  SlotBatch& targets = batch.slots.emplace_back();
  batch.inputs.ids = ids.flatten();
  batch.inputs.sequences = Sequences::uniform(rows, ids.size(1));
  if (architecture == Architecture::encoder_decoder) {
    const Tensor start = at::zeros({rows, 1}, at::kLong);
    batch.inputs.decoder_ids = at::cat({start, labels.slice(1, 0, labels.size(1) - 1)}, 1).flatten();
    batch.inputs.decoder_sequences = Sequences::uniform(rows, labels.size(1));
    targets.rows = at::arange(labels.numel());
    targets.labels = labels.flatten();
  } else if (architecture == Architecture::decoder_only) {
    // The peer computes every position and shifts inside; the last one of a row predicts nothing.
    const Tensor positions = at::arange(ids.numel()).view_as(ids);
    targets.rows = positions.slice(1, 0, ids.size(1) - 1).flatten();
    targets.labels = labels.slice(1, 1).flatten();
  } else {
    const Tensor flat = labels.flatten();
    targets.rows = flat.ne(kIgnore).nonzero().squeeze(1);
    targets.labels = flat.index_select(0, targets.rows);
  }
  const bool decodes = architecture == Architecture::encoder_decoder;
  targets.total = static_cast<double>(targets.count());
  targets.counts =
      count_rows(targets.rows, decodes ? batch.inputs.decoder_sequences : batch.inputs.sequences);
  batch.tokens =
      batch.inputs.ids.size(0) + (batch.inputs.decoder_ids.defined() ? batch.inputs.decoder_ids.size(0) : 0);
  batch.samples = {0};
  return batch;
}

std::vector<Batch> read_batches(const std::string& path, Architecture architecture) {
  const SafetensorsFile file(path);
  std::vector<Batch> batches;
  for (size_t i = 0; file.find(fmt::format("ids.{}", i)) != nullptr; ++i) {
    batches.push_back(packed(tensor_of(file, fmt::format("ids.{}", i)),
                             tensor_of(file, fmt::format("labels.{}", i)),
                             architecture));
  }
  return batches;
}

struct Bench {
  std::shared_ptr<Model> model;
  std::shared_ptr<Objective> objective;
  std::vector<Batch> batches;
  LoadedConfig loaded;
};

Bench make_bench(const std::string& config_path,
                 const std::string& folder,
                 const std::vector<Override>& overrides) {
  const Registry registry = make_registry();
  Bench bench;
  bench.loaded = read_run_config(config_path, overrides, registry);
  const RunConfig& config = bench.loaded.config;
  const int64_t vocab = *config.tokenizer.vocab_size;
  // Ids as make_batches() in models.py uses them; the sentinels only have to exist.
  std::vector<int64_t> sentinels;
  for (int64_t i = 1; i <= 100; ++i) {
    sentinels.push_back(vocab - i);
  }
  const Vocabulary vocabulary{.size = vocab,
                              .pad = 0,
                              .unk = 2,
                              .bos = 3,
                              .eos = 1,
                              .cls = 2,
                              .sep = 3,
                              .mask = 4,
                              .sentinels = sentinels};
  const int64_t length = config.data.sequence_length;
  const ModelFamily& family = registry.model(config.model.type);
  bench.model = family.make(config.model.options, {.vocabulary = vocabulary, .sequence_length = length});
  bench.objective = registry.objective(config.objective.type)
                        .make(config.objective.options,
                              {.vocabulary = vocabulary,
                               .architecture = bench.model->architecture(),
                               .sequence_length = length,
                               .width = bench.model->width(),
                               .classes = {}});
  read_tensors(folder + "/lmzoo.safetensors", weights(*bench.model, *bench.objective));
  bench.batches = read_batches(folder + "/batches.safetensors", bench.model->architecture());
  return bench;
}

Json run_steps(Bench& bench, const StepParts& parts, int64_t count, int64_t& done) {
  Json milliseconds = Json::array();
  Json losses = Json::array();
  for (int64_t i = 0; i < count; ++i, ++done) {
    const auto begin = std::chrono::steady_clock::now();
    const Batch& batch = bench.batches[static_cast<size_t>(done) % bench.batches.size()];
    const StepOutcome outcome = train_step(parts, {batch}, done + 1, bench.loaded.config.optimizer.lr);
    const double loss = outcome.values[0].item<double>() / outcome.work.total;
    const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - begin;
    milliseconds.push_back(time.count());
    losses.push_back(loss);
  }
  return {{"ms", milliseconds},
          {"loss", losses},
          {"rss_mb", static_cast<double>(peak_memory_bytes(at::kCPU)) / (1 << 20)}};
}

int run(const std::vector<std::string>& arguments) {
  check(arguments.size() >= 2, "usage: bench_vs_transformers CONFIG FOLDER [KEY=VALUE ...]");
  std::vector<Override> overrides;
  bool is_double = false;
  for (size_t i = 2; i < arguments.size(); ++i) {
    if (arguments[i] == "train.precision=fp64") {
      is_double = true;
    } else {
      overrides.push_back(parse_override(arguments[i]));
    }
  }
  Bench bench = make_bench(arguments[0], arguments[1], overrides);
  if (is_double) {
    bench.model->to(at::kDouble);
    bench.objective->to(at::kDouble);
  }
  set_up_cpu(bench.loaded.config.train.threads);
  bench.model->train();
  bench.objective->train();
  const auto optimizer = make_optimizer(
      bench.loaded, make_registry(), {.parameters = trainable(*bench.model, *bench.objective)});
  const StepParts parts{.model = *bench.model,
                        .objective = *bench.objective,
                        .optimizer = *optimizer,
                        .seed = 1,
                        .precision = bench.loaded.config.train.precision};
  const Json ready{{"ready", true},
                   {"parameters", count_elements(trainable(*bench.model, *bench.objective))}};
  std::cout << ready.dump() << std::endl;
  int64_t done = 0;
  for (int64_t count = 0; std::cin >> count;) {
    std::cout << run_steps(bench, parts, count, done).dump() << std::endl;
  }
  return 0;
}

}  // namespace
}  // namespace lmzoo

int main(int argc, char** argv) {
  lmzoo::limit_spinning(argv);
  try {
    return lmzoo::run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 2;
  }
}
