#include "train/fakes.h"

#include <csignal>
#include <limits>
#include <stdexcept>

#include <ATen/Context.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/dropout.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include "train/rules.h"

namespace lmzoo::test {

TinyModel::TinyModel(double dropout) : dropout_(dropout) {
  embedding = register_parameter("embedding", at::randn({kVocab, kWidth}));
  register_parameter("output", embedding);
  inner = register_parameter("inner", at::randn({kWidth, kWidth}) * 0.4);
  bias = register_parameter("bias", at::zeros({kWidth}));
  register_buffer("count", at::zeros({2}, at::kLong));
}

Tensor TinyModel::hidden(const Inputs& inputs) {
  const Tensor embedded = at::dropout(at::embedding(embedding, inputs.ids), dropout_, is_training());
  return at::dropout(at::linear(embedded, inner, bias).tanh(), dropout_, is_training());
}

Projection TinyModel::project(const Tensor& rows) { return {.rows = rows, .weight = embedding, .bias = {}}; }

double TinyModel::train_flops(const SequenceLengths& lengths, double labeled) const {
  return 6.0 * kWidth * kWidth * lengths.source + 6.0 * kWidth * kVocab * labeled;
}

TinyObjective::TinyObjective() { head = register_parameter("head", at::randn({kWidth, kWidth}) * 0.4); }

Example TinyObjective::example(const Sample& sample, const TrainingPlace&, Stream&) const {
  return in_place(sample.ids, {0}, {sample.ids.at(0)});
}

Losses TinyObjective::loss(Model& model, const Batch& batch, Stream&) {
  const SlotBatch& targets = batch.slots.front();
  const double call = static_cast<double>(calls++);
  const Tensor rows = at::linear(model.hidden(batch.inputs).index_select(0, targets.rows), head);
  const Tensor logits = model.logits(rows).to(at::kFloat);
  LossTerm sums{.sum = at::cross_entropy_loss(logits, targets.labels, {}, at::Reduction::Sum)};
  sums.metrics.emplace_back("correct", logits.argmax(1).eq(targets.labels).sum());
  if (call == poison_at || call >= poison_from) {
    sums.sum = sums.sum * std::numeric_limits<double>::quiet_NaN();
  }
  if (call == explode_at) {
    // sqrt has an infinite slope at 0, and x - x is 0.
    sums.sum = sums.sum + (head.sum() - head.sum().detach()).sqrt();
  }
  if (call == ruin_at) {
    head.variable_data().fill_(std::numeric_limits<double>::quiet_NaN());
  }
  return {sums};
}

Batch tiny_batch(uint64_t index, int64_t count) {
  Stream stream({.seed = 7, .epoch = 0, .sample = index, .purpose = Purpose::order});
  std::vector<int64_t> lengths, ids, rows, labels;
  for (int64_t i = 0; i < count; ++i) {
    lengths.push_back(2 + static_cast<int64_t>(stream.below(6)));
    for (int64_t t = 0; t < lengths.back(); ++t) {
      const auto id = static_cast<int64_t>(stream.below(kVocab));
      if (t == 0 || stream.uniform() < 0.4) {
        rows.push_back(static_cast<int64_t>(ids.size()));
        labels.push_back((id * 3 + 1) % kVocab);  // something that can be learned
      }
      ids.push_back(id);
    }
  }
  Batch batch;
  batch.inputs.sequences = Sequences(lengths);
  batch.inputs.ids = at::tensor(ids, at::kLong);
  batch.slots = {{.rows = at::tensor(rows, at::kLong),
                  .labels = at::tensor(labels, at::kLong),
                  .total = static_cast<double>(labels.size())}};
  batch.samples = {index};
  batch.tokens = static_cast<int64_t>(ids.size());
  return batch;
}

Batch joined_batches(const std::vector<Batch>& batches) {
  std::vector<int64_t> lengths;
  std::vector<Tensor> ids, rows, labels;
  Batch all;
  for (const Batch& batch : batches) {
    for (int64_t i = 0; i < batch.inputs.sequences.count(); ++i) {
      lengths.push_back(batch.inputs.sequences.length(i));
    }
    ids.push_back(batch.inputs.ids);
    rows.push_back(batch.slots[0].rows + all.tokens);
    labels.push_back(batch.slots[0].labels);
    all.tokens += batch.tokens;
  }
  all.inputs.sequences = Sequences(lengths);
  all.inputs.ids = at::cat(ids);
  all.slots = {{.rows = at::cat(rows), .labels = at::cat(labels)}};
  all.slots[0].total = static_cast<double>(all.slots[0].count());
  return all;
}

Batch TinyBatches::next() {
  if (static_cast<int64_t>(next_) == die_at) {
    throw std::runtime_error("killed");
  }
  if (static_cast<int64_t>(next_) == signal_at) {
    std::raise(SIGTERM);
  }
  Batch batch = tiny_batch(next_++, batch_size_);
  if (!labeled) {
    SlotBatch& targets = batch.slots.front();
    targets = {.rows = targets.rows.narrow(0, 0, 0), .labels = targets.labels.narrow(0, 0, 0)};
  }
  return batch;
}

EvalSet tiny_eval_set(int64_t batches) {
  const auto open = [batches]() -> BatchPass {
    return [batches, i = int64_t{0}]() mutable -> std::optional<Batch> {
      if (i == batches) {
        return std::nullopt;
      }
      return tiny_batch(1'000'000 + static_cast<uint64_t>(i++), 3);
    };
  };
  return {.name = "valid", .open = open, .bytes = 100};
}

TinyRun::TinyRun(const std::string& folder_path, double dropout, uint64_t seed) : folder(folder_path) {
  at::manual_seed(seed);
  model = std::make_shared<TinyModel>(dropout);
  objective = std::make_shared<TinyObjective>();
}

Optimizer& TinyRun::optimizer() {
  if (!optimizer_) {
    optimizer_ = make_rule(
        "adamw", {.parameters = trainable(*model, *objective), .clip_norm = clip_norm}, optimizer_options);
  }
  return *optimizer_;
}

Snapshot TinyRun::snapshot() {
  return {.weights = weights(*model, *objective), .optimizer = optimizer().state()};
}

TrainResult TinyRun::train() {
  const auto style = notes != nullptr ? ProgressBar::Style::lines : ProgressBar::Style::silent;
  ProgressBar progress("test", "step", style, notes);
  const TrainJob job{.model = *model,
                     .objective = *objective,
                     .optimizer = optimizer(),
                     .lr = lr,
                     .batches = batches,
                     .valid = valid,
                     .train = options,
                     .eval = eval,
                     .schedule = schedule,
                     .seed = 3,
                     .device = at::kCPU,
                     .run = folder,
                     .resume = resume,
                     .identity = identity,
                     .inputs = inputs,
                     .other_inputs = other_inputs};
  return lmzoo::train(job, progress);
}

bool same(const NamedTensors& a, const NamedTensors& b) {
  if (a.size() != b.size()) {
    return false;
  }
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i].name != b[i].name || !a[i].tensor.equal(b[i].tensor)) {
      return false;
    }
  }
  return true;
}

NamedTensors copy_of(const NamedTensors& tensors) {
  NamedTensors copies;
  for (const NamedTensor& entry : tensors) {
    copies.push_back({entry.name, entry.tensor.detach().clone()});
  }
  return copies;
}

}  // namespace lmzoo::test
