// What a run reports: RUN/metrics.jsonl (a JSON object a row) and TensorBoard event files in RUN/tensorboard.
//
//   {"kind": "text", "step": 0, "split", "tokens", "blank", "cut", ...}   of what is read; train/run/text_notes.h
//   {"kind": "phase", "step", "name"}                                   begins behind this step
//   {"kind": "train", "step", "loss", "lr", "grad_norm", "tokens", "labels", "tokens_per_s",
//    "target_tokens_per_s", "flops_per_s", "memory_bytes", "skipped", "seconds"}, and where there are several
//    "windows": {text: N} and "slot_labels": {slot: N} since the last row
//   {"kind": "eval", "step", "split", "loss", "perplexity", ...}        EvalResult::values
// A number that is not finite is null.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/tensor.h"
#include "io/event_file.h"
#include "io/files.h"

namespace lmzoo {

using NamedCounts = std::vector<std::pair<std::string, int64_t>>;

// Mean over the steps since the last row, skipped ones left out.
struct TrainRow {
  int64_t step = 0;
  double loss = 0;
  double lr = 0;         // of the last step
  double grad_norm = 0;  // before clipping
  int64_t tokens = 0;    // positions computed since the beginning of the run
  int64_t labels = 0;
  double tokens_per_s = 0;
  double target_tokens_per_s = 0;
  double flops_per_s = 0;     // of the model: what it needs, not what the machine did
  int64_t memory_bytes = 0;   // resident set, or allocated on the GPU; at most so far
  int64_t skipped = 0;        // steps, since the beginning of the run
  double seconds = 0;         // of training, since the beginning of the run
  NamedCounts windows{};      // of each text, since the last row; empty: there is one
  NamedCounts slot_labels{};  // of each kind of prediction, since the last row; empty: there is one
};

// Of a text that a run reads: what was left out, replaced or cut of it.
struct TextRow {
  std::string split;
  std::vector<std::pair<std::string, int64_t>> counts;
};

// The steps whose rows a run keeps that goes on; without a step behind it, it keeps none.
struct LoggedUntil {
  int64_t step = 0;
  int64_t evaluated_step = 0;
};

class MetricsLog {
 public:
  // Rows of later steps and evaluations (of a run that was killed after its last checkpoint) and a half-written last
  // row are dropped.
  MetricsLog(const std::string& run, const LoggedUntil& until);

  void phase(int64_t step, const std::string& name);  // begins behind this step
  void texts(const std::vector<TextRow>& rows);       // of a run that begins
  void train(const TrainRow& row);
  void eval(int64_t step,
            const std::string& split,
            const std::vector<std::pair<std::string, double>>& values);
  void flush();
  void sync();  // to the disk: before a checkpoint that says they are there

 private:
  std::unique_ptr<AppendFile> rows_;
  std::unique_ptr<EventFile> events_;
};

// The most that was in use so far: resident memory of this process, or what was allocated on a GPU.
int64_t peak_memory_bytes(at::Device device);

}  // namespace lmzoo
