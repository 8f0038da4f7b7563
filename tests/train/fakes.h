// The smallest model, objective and data with which the loop can be tested: everything that makes resuming
// hard (dropout, tied weights, a buffer, a head of the objective, batches of different sizes) and nothing
// else.
//
// Legend: N positions, K labels, D = 6 width, V = 11 vocabulary.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/model.h"
#include "core/objective.h"
#include "train/loop/batch_source.h"
#include "train/loop/loop.h"
#include "train/saved/checkpoint.h"

namespace lmzoo::test {

constexpr int64_t kVocab = 11;
constexpr int64_t kWidth = 6;

class TinyModel final : public Model {
 public:
  explicit TinyModel(double dropout = 0);

  Architecture architecture() const override { return Architecture::encoder_only; }
  int64_t width() const override { return kWidth; }
  int64_t vocab_rows() const override { return kVocab; }
  int64_t max_length() const override { return 64; }
  std::vector<ModelPart> parts() const override {
    return {{.name = "embeddings", .prefixes = {"embedding", "output"}},
            {.name = "inner", .kind = PartKind::head, .prefixes = {"inner", "bias"}}};
  }
  Tensor hidden(const Inputs& inputs) override;     // [N, D]
  Projection project(const Tensor& rows) override;  // tied to the embedding
  double train_flops(const SequenceLengths& lengths, double labeled) const override;

  Tensor embedding;  // [V, D], registered as "output", too
  Tensor inner;      // [D, D]
  Tensor bias;       // [D]

 private:
  double dropout_;
};

class TinyObjective final : public Objective {
 public:
  TinyObjective();

  ObjectiveForm form() const override { return {.layout = Layout::in_place}; }
  ObjectiveLengths lengths() const override { return {.raw = 8, .source = 8, .target = 0}; }
  Example example(const Sample& sample, const TrainingPlace& place, Stream& stream) const override;
  Losses loss(Model& model, const Batch& batch, Stream& stream) override;

  Tensor head;                // [D, D]
  double poison_at = -1;      // makes the loss of this call (from 0) not a number
  double explode_at = -1;     // makes the gradient of this call infinite, and not the loss
  double poison_from = 1e18;  // and of all calls from this one
  double ruin_at = -1;        // makes a weight no number after this call's loss
  int64_t calls = 0;
};

// `count` sequences of 2 to 7 positions that follow from `index`; some positions are labeled.
Batch tiny_batch(uint64_t index, int64_t count);
// The same sequences as one batch.
Batch joined_batches(const std::vector<Batch>& batches);

class TinyBatches final : public BatchSource {
 public:
  explicit TinyBatches(int64_t batch_size = 4) : batch_size_(batch_size) {}
  Batch next() override;
  Json state() const override { return {{"next", next_}}; }
  void restore(const Json& state) override { next_ = state.at("next").get<uint64_t>(); }

  int64_t die_at = -1;     // throws std::runtime_error instead of giving this batch
  int64_t signal_at = -1;  // raises SIGTERM before giving this batch
  bool labeled = true;

 private:
  int64_t batch_size_;
  uint64_t next_ = 0;
};

// Another source until its process is killed: after so many batches; never when there are fewer than 0.
class KilledBatches final : public BatchSource {
 public:
  KilledBatches(BatchSource& source, int64_t left) : source_(source), left_(left) {}
  Batch next() override {
    if (left_-- == 0) {
      throw std::runtime_error("killed");
    }
    return source_.next();
  }
  Json state() const override { return source_.state(); }
  void restore(const Json& state) override { source_.restore(state); }

 private:
  BatchSource& source_;
  int64_t left_;
};

EvalSet tiny_eval_set(int64_t batches = 3);

// Everything of one run; initial weights follow from `seed`.
struct TinyRun {
  explicit TinyRun(const std::string& folder, double dropout = 0.2, uint64_t seed = 1);

  TrainResult train();
  Optimizer& optimizer();  // made at the first call, for what is trainable then
  Snapshot snapshot();

  std::shared_ptr<TinyModel> model;
  std::shared_ptr<TinyObjective> objective;
  TinyBatches batches;
  std::optional<EvalSet> valid;
  double lr = 0.02;
  double clip_norm = 1;
  std::string optimizer_options = "{}";  // of adamw
  TrainOptions options{.steps = 40, .log_every = 5};
  EvalOptions eval;
  ScheduleOptions schedule{.type = ScheduleType::cosine, .warmup_steps = 5};
  std::string folder;
  bool resume = false;
  std::map<std::string, std::string> identity;
  std::map<std::string, std::string> inputs;
  bool other_inputs = false;
  std::FILE* notes = nullptr;  // where progress goes; nowhere if null

 private:
  std::unique_ptr<Optimizer> optimizer_;
};

// Bitwise.
bool same(const NamedTensors& a, const NamedTensors& b);
NamedTensors copy_of(const NamedTensors& tensors);

}  // namespace lmzoo::test
