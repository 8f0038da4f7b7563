// The sections `train` and `eval` of a YAML.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/fields.h"

namespace lmzoo {

// fp32: everything in float32. bf16: weights, gradients and optimizer in float32, products in bfloat16.
enum class Precision { fp32, bf16 };
template <>
struct EnumNames<Precision> {
  static constexpr std::pair<Precision, std::string_view> values[] = {{Precision::fp32, "fp32"},
                                                                      {Precision::bf16, "bf16"}};
};

// Amounts of training after which a checkpoint is saved and kept, whatever keep_last says: as published series have them.
struct SaveAtOptions {
  std::vector<double> steps{};
  std::vector<double> words{};   // of the training text, as often as they are seen
  std::vector<double> tokens{};  // likewise

  static constexpr void fields(auto& self, auto& visit) {
    visit("steps", self.steps, "steps", at_least(1));
    visit("words",
          self.words,
          "words of the training text that have been seen, between white space",
          at_least(1));
    visit("tokens", self.tokens, "tokens of the training text that have been seen", at_least(1));
  }
  bool operator==(const SaveAtOptions&) const = default;
};

struct TrainOptions {
  int64_t steps = 1000;       // updates of the weights, unless epochs are given
  int64_t batch_size = 32;    // windows of one step, over all its micro-batches
  int64_t micro_batches = 1;  // parts of a step that are computed one after the other, to save memory
  Precision precision = Precision::fp32;
  std::string device = "auto";  // auto, cpu, cuda or cuda:N
  int64_t threads = 0;          // 0: one for each core
  int64_t log_every = 10;       // steps
  int64_t save_every = 0;       // steps; 0: by time alone
  double save_minutes = 5;      // 0: by steps alone
  SaveAtOptions save_at{};
  int64_t keep_last = 1;            // newest checkpoints kept, beside the best one
  int64_t max_skipped = 10;         // non-finite steps in a row that end the run
  std::optional<int64_t> epochs{};  // passes over the training data, in place of steps
  bool deterministic = false;       // the same bits every time: word vectors of several threads, and on a GPU

  static constexpr void fields(auto& self, auto& visit) {
    visit("steps", self.steps, "updates of the weights, unless epochs are given", at_least(1));
    visit("batch_size", self.batch_size, "windows of one step, over all its micro-batches", at_least(1));
    visit("micro_batches",
          self.micro_batches,
          "parts in which a step is computed, to save memory",
          at_least(1));
    visit("precision", self.precision, "fp32, or bf16 products with fp32 weights");
    visit("device", self.device, "auto, cpu, cuda or cuda:N");
    visit("threads", self.threads, "threads of the CPU; 0: one for each core", at_least(0));
    visit("log_every", self.log_every, "steps between two lines of metrics.jsonl", at_least(1));
    visit("save_every", self.save_every, "steps between two checkpoints; 0: by time alone", at_least(0));
    visit("save_minutes",
          self.save_minutes,
          "minutes between two checkpoints, or 20 times as long as saving takes; 0: by steps alone",
          at_least(0));
    visit("save_at", self.save_at, "amounts of training whose checkpoints are kept");
    visit("keep_last", self.keep_last, "newest checkpoints kept, beside the best one", at_least(1));
    visit("max_skipped",
          self.max_skipped,
          "steps in a row with a non-finite loss or gradient that end the run",
          at_least(1));
    visit("epochs",
          self.epochs,
          "passes over the training data, in place of steps; the last step may begin another",
          between(1, 1'000'000));
    visit("deterministic",
          self.deterministic,
          "the same bits in every run, at some cost: of word vectors with several threads, and on a GPU by "
          "deterministic algorithms (one thread for word vectors, and the CPU for models, always have)");
  }
  bool operator==(const TrainOptions&) const = default;
};

struct EvalOptions {
  int64_t every = 0;                   // steps; 0: only at the end
  bool at_start = false;               // evaluate the initial weights too, as step 0
  int64_t max_batches = 0;             // 0: all of the validation data
  std::string best_by = "loss";        // what makes one checkpoint better than another
  std::vector<std::string> metrics{};  // of the task's predictions; empty: the usual ones
  int64_t patience = 0;                // evaluations without a better one that end the run; 0: never

  static constexpr void fields(auto& self, auto& visit) {
    visit("every", self.every, "steps between two evaluations; 0: only at the end", at_least(0));
    visit("at_start", self.at_start, "evaluate the initial weights too, as step 0");
    visit("max_batches", self.max_batches, "batches of an evaluation; 0: all", at_least(0));
    visit("best_by",
          self.best_by,
          "the best checkpoint has the lowest loss (or perplexity, mse, ...) or the highest accuracy, f1, "
          "pearson, ...");
    visit("metrics", self.metrics, "which metrics of the task's predictions; empty: the usual ones");
    visit("patience",
          self.patience,
          "evaluations without a better one that end the run; 0: never",
          at_least(0));
  }
  bool operator==(const EvalOptions&) const = default;
};

}  // namespace lmzoo
