#include "train/lab/bench.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <tuple>

#include <ATen/Parallel.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>

#include "base/check.h"
#include "core/parameters.h"
#include "text/source.h"
#include "tokenizer/vocabulary_of.h"
#include "train/loop/metrics.h"
#include "train/loop/step.h"
#include "train/loop/stop_signal.h"
#include "train/run/full_window.h"
#include "train/run/plan.h"

namespace lmzoo {
namespace {

using BenchClock = std::chrono::steady_clock;

double bench_seconds_since(BenchClock::time_point begin) {
  return std::chrono::duration<double>(BenchClock::now() - begin).count();
}

// The shortest time of one call, of as many as fit in `budget` seconds (at least three).
template <class Work>
double fastest(double budget, const Work& work) {
  double best = 1e30;
  const BenchClock::time_point begin = BenchClock::now();
  for (int calls = 0; calls < 3 || bench_seconds_since(begin) < budget; ++calls) {
    const BenchClock::time_point start = BenchClock::now();
    work();
    best = std::min(best, bench_seconds_since(start));
  }
  return best;
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// Reading one number waits for all that the device was given.
void wait_for(const Tensor& result) {
  if (!result.device().is_cpu()) {
    result.view({-1}).narrow(0, 0, 1).item();
  }
}

// Seconds of [m, k] x [k, n].
double product_seconds(int64_t m, int64_t k, int64_t n, const at::TensorOptions& options, double budget) {
  const Tensor a = at::randn({m, k}, options.dtype(at::kFloat)).to(options.dtype().toScalarType());
  const Tensor b = at::randn({k, n}, options.dtype(at::kFloat)).to(options.dtype().toScalarType());
  return fastest(budget, [&] { wait_for(at::mm(a, b)); });
}

at::ScalarType scalar_type(Precision precision) {
  return precision == Precision::bf16 ? at::kBFloat16 : at::kFloat;
}

// How often each product of a step occurs: (positions, in, out) of matrices, those of the head on labeled rows
// only. An embedding is a product where the model has no other projection to the vocabulary.
using Shape = std::tuple<int64_t, int64_t, int64_t>;
std::map<Shape, int> products_of(const Parts& parts, const Batch& batch) {
  std::map<Shape, int> shapes;
  const std::vector<ModelPart> model_parts = parts.model->parts();
  const bool has_decoder = batch.inputs.decoder_ids.defined();
  const bool projects_itself = std::ranges::any_of(
      model_parts, [](const ModelPart& part) { return part.kind == PartKind::projection; });
  for (const NamedTensor& weight : weights(*parts.model, *parts.objective)) {
    const Tensor& tensor = weight.tensor;
    const ModelPart* part = model_part(model_parts, weight.name);
    const bool is_table = part != nullptr && part->kind == PartKind::embeddings;
    const bool is_tied = is_table && !projects_itself && tensor.size(0) == parts.model->vocab_rows();
    if (tensor.dim() != 2 || (is_table && !is_tied)) {
      continue;
    }
    const bool labeled = is_tied || (part != nullptr && part->kind != PartKind::block);
    const bool of_decoder = has_decoder && part != nullptr && part->input == PartInput::target;
    const int64_t positions = labeled      ? projected_rows(*parts.objective, batch)
                              : of_decoder ? batch.inputs.decoder_ids.numel()
                                           : batch.inputs.ids.numel();
    ++shapes[{positions, tensor.size(1), tensor.size(0)}];
  }
  return shapes;
}

// FLOP/s over all products of a step, forward and backward.
double product_rate(const Parts& parts, const Batch& batch, Precision precision, at::Device device) {
  const at::TensorOptions options = at::TensorOptions().dtype(scalar_type(precision)).device(device);
  constexpr double kBudget = 0.03;  // seconds a product
  double flops = 0, seconds = 0;
  for (const auto& [shape, count] : products_of(parts, batch)) {
    const auto [m, in, out] = shape;
    const double once = product_seconds(m, in, out, options, kBudget) +
                        product_seconds(m, out, in, options, kBudget) +
                        product_seconds(out, m, in, options, kBudget);
    seconds += count * once;
    flops += count * 6.0 * static_cast<double>(m) * static_cast<double>(in) * static_cast<double>(out);
  }
  return flops / seconds;
}

}  // namespace

Figures bench_step(const LoadedConfig& loaded, const Registry& registry, const BenchOptions& options) {
  const RunConfig& config = loaded.config;
  const Vocabulary vocabulary = foresee_vocabulary(loaded, /*look_at_files=*/false).vocabulary;
  const std::vector<std::string> classes =
      has_classes(config.data.train) ? std::vector<std::string>{"0", "1"} : std::vector<std::string>{};
  const Parts parts = build_parts(loaded, registry, vocabulary, classes);
  loaded.places.locate("warm_start.freeze",
                       [&] { freeze(*parts.model, *parts.objective, config.warm_start.freeze); });
  loaded.places.locate("fine_tune", [&] { prepare_fine_tuning(parts, config); });
  parts.model->to(options.device);
  parts.objective->to(options.device);
  parts.model->train(!config.fine_tune.probe);
  parts.objective->train();
  const auto optimizer =
      make_optimizer(loaded, registry, {.parameters = trainable(*parts.model, *parts.objective)});
  std::vector<Batch> batches;
  for (int64_t i = 0; i < config.train.micro_batches; ++i) {
    batches.push_back(full_windows(*parts.objective,
                                   parts.model->architecture(),
                                   vocabulary,
                                   parts.shape(),
                                   config.micro_batch(),
                                   static_cast<uint64_t>(i)));
  }
  const StepParts step{.model = *parts.model,
                       .objective = *parts.objective,
                       .optimizer = *optimizer,
                       .seed = config.stream_seed(),
                       .precision = config.train.precision,
                       .device = options.device};
  constexpr int64_t kWarmUp = 2;
  std::vector<double> seconds;
  StepWork work;
  for (int64_t n = 1; n <= kWarmUp + options.steps; ++n) {
    throw_if_stopped();
    const BenchClock::time_point begin = BenchClock::now();
    const StepOutcome outcome = train_step(step, batches, n, config.optimizer.lr);
    wait_for(outcome.values);
    if (n > kWarmUp) {
      seconds.push_back(bench_seconds_since(begin));
    }
    work = outcome.work;
  }
  const double typical = median(seconds);
  const double limit = product_rate(parts, batches.front(), config.train.precision, options.device);
  const double rate = work.flops / typical;
  return {{"step_ms", 1e3 * typical, "median of a whole step"},
          {"step_ms_fastest", 1e3 * *std::min_element(seconds.begin(), seconds.end()), "the fastest step"},
          {"tokens_per_s", static_cast<double>(work.tokens) / typical, "positions computed"},
          {"target_tokens_per_s", static_cast<double>(work.labels) / typical, "labels predicted"},
          {"flops_per_s", rate, "of the model's arithmetic"},
          {"product_flops_per_s", limit, "matrix products of these shapes alone"},
          {"share_of_products", rate / limit, "of the limit that the products set"},
          {"peak_memory_bytes",
           static_cast<double>(peak_memory_bytes(options.device)),
           "of the process, or of the GPU"}};
}

Figures bench_machine(at::Device device) {
  const int threads = at::get_num_threads();
  constexpr double kBudget = 0.5;
  constexpr int64_t m = 2048, k = 1024, n = 1024;
  constexpr double kFlops = 2.0 * m * k * n;
  const at::TensorOptions options = at::TensorOptions().device(device);
  Figures figures{{"threads", static_cast<double>(threads), "of the CPU"}};
  if (device.is_cpu()) {
    figures.push_back({"fma_flops_per_s_1", fma_rate(1), "float32 multiply-adds in registers, one thread"});
    figures.push_back({"fma_flops_per_s", fma_rate(threads), "the same on all threads"});
  }
  figures.push_back({"gemm_fp32_flops_per_s",
                     kFlops / product_seconds(m, k, n, options.dtype(at::kFloat), kBudget),
                     "float32 product 2048 x 1024 x 1024"});
  figures.push_back({"gemm_bf16_flops_per_s",
                     kFlops / product_seconds(m, k, n, options.dtype(at::kBFloat16), kBudget),
                     "the same in bfloat16"});
  constexpr int64_t kFloats = int64_t{64} << 20;  // 256 MiB: more than any cache
  const Tensor large = at::ones({kFloats}, options.dtype(at::kFloat));
  figures.push_back({"read_bytes_per_s",
                     4.0 * kFloats / fastest(kBudget, [&] { wait_for(large.sum()); }),
                     "summing 256 MiB"});
  const Tensor other = at::empty_like(large);
  figures.push_back({"copy_bytes_per_s",
                     8.0 * kFloats / fastest(kBudget, [&] { wait_for(other.copy_(large)); }),
                     "copying 256 MiB, read and written bytes"});
  return figures;
}

Figures bench_loader(const LoadedConfig& loaded, const Registry& registry) {
  const RunConfig& config = loaded.config;
  const auto tokenizer = make_run_tokenizer(loaded, ProgressBar::Style::automatic);
  const auto store = open_store(
      loaded, "data.train", config.data.train, tokenizer, std::nullopt, ProgressBar::Style::automatic);
  const Parts parts = build_parts(loaded, registry, vocabulary_of(*tokenizer), store->classes());
  const Windows windows = make_windows(loaded, *parts.objective, parts.vocabulary, store);
  Loader loader(windows,
                loader_steps(parts, windows),
                {.batch_size = config.micro_batch(), .seed = config.stream_seed(), .workers = 0});
  constexpr double kSeconds = 1.0;
  int64_t tokens = 0, batches = 0;
  const BenchClock::time_point begin = BenchClock::now();
  double seconds = 0;
  for (; seconds < kSeconds; seconds = bench_seconds_since(begin)) {
    tokens += loader.next()->tokens;
    ++batches;
  }
  return {{"tokens_per_s", static_cast<double>(tokens) / seconds, "windows to batches on one thread"},
          {"batches_per_s", static_cast<double>(batches) / seconds, "micro-batches of the configuration"},
          {"windows", static_cast<double>(windows.size()), "of the training text"}};
}

Figures bench_tokenizer(const LoadedConfig& loaded) {
  const auto tokenizer = make_run_tokenizer(loaded, ProgressBar::Style::automatic);
  constexpr size_t kBytes = size_t{4} << 20;
  std::vector<std::string> texts;
  size_t bytes = 0;
  for_each_record(loaded.config.data.train, [&](const TextRecord& record) {
    texts.emplace_back(record.text);
    bytes += record.text.size();
    return bytes < kBytes;
  });
  std::vector<std::vector<int64_t>> ids(texts.size());
  const double encoding = fastest(1.0, [&] {
    for (size_t i = 0; i < texts.size(); ++i) {
      ids[i] = tokenizer->encode(texts[i]);
    }
  });
  size_t tokens = 0;
  for (const auto& each : ids) {
    tokens += each.size();
  }
  const double decoding = fastest(0.5, [&] {
    for (const auto& each : ids) {
      tokenizer->decode(each);
    }
  });
  return {{"encode_bytes_per_s", static_cast<double>(bytes) / encoding, "on one thread"},
          {"encode_tokens_per_s", static_cast<double>(tokens) / encoding, "on one thread"},
          {"decode_tokens_per_s", static_cast<double>(tokens) / decoding, "on one thread"},
          {"bytes_per_token", static_cast<double>(bytes) / static_cast<double>(tokens), "of this text"}};
}

}  // namespace lmzoo
