// The one loop of pre-training and fine-tuning: steps, logging, evaluation, checkpoints, early stop, resume.
//
//   for step n = 1 .. T:   micro-batches -> train_step -> every log_every: a row
//                          every eval.every, and at the end: evaluate, mark the best
//                          every save_every and save_minutes, when the best changed, and at the end: checkpoint
//   a stop signal: checkpoint and return; before the first step, too
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "core/optimizer.h"
#include "train/loop/batch_source.h"
#include "train/loop/evaluate.h"
#include "train/loop/lr_schedule.h"
#include "train/loop/metrics.h"
#include "train/loop/phase_place.h"
#include "train/loop/progress.h"
#include "train/loop/train_options.h"
#include "train/saved/checkpoint.h"
#include "train/tune/fine_tune.h"

namespace lmzoo {

// Everything a run is made of (train/run/assemble.h makes it). The referenced parts live longer than the run.
struct TrainJob {
  Model& model;
  Objective& objective;
  Optimizer& optimizer;
  double lr;                          // peak learning rate; the schedule scales it
  BatchSource& batches;               // gives micro-batches of train.batch_size / train.micro_batches windows
  std::optional<EvalSet> valid = {};  // none: nothing is evaluated, no checkpoint is best
  std::vector<EvalSet> further_valid = {};  // told beside it
  std::vector<std::string> corpora = {};    // names of the texts that batches are of, where there are several
  TrainOptions train = {};
  EvalOptions eval = {};
  ScheduleOptions schedule = {};
  std::optional<GradualUnfreezing> unfreezing = {};  // none: all that is trained is from the first step
  bool probe = false;  // the model stays in evaluation mode: it is frozen, and only the objective learns
  uint64_t seed = 0;
  at::Device device = at::kCPU;
  std::string run = "";  // folder
  bool resume = false;   // go on from the newest valid checkpoint, if there is one
  std::map<std::string, std::string> identity =
      {};  // what else the bits depend on; a change is noted at resume
  std::map<std::string, std::string> inputs =
      {};                                // hashes of what is learned from; a change is refused at resume
  bool other_inputs = false;             // unless this is set
  std::vector<int64_t> milestones = {};  // steps whose checkpoints are kept, ascending
  std::vector<TextRow> texts = {};       // told of what is read
  PhasePlace phase = {};                 // of a run with phases
};

enum class StopReason { finished, early, signal };

struct TrainResult {
  StopReason reason = StopReason::finished;
  int signal = 0;  // the one that stopped it
  int64_t resumed_at = 0;
  TrainState state;
  double last_loss = 0;             // of the last logged row
  std::optional<EvalResult> valid;  // of the last evaluation
};

// Throws InputError when the run folder has checkpoints but `resume` is not set, cannot be written, or when
// train.max_skipped steps in a row were not finite (naming step and samples; the last checkpoint stays).
TrainResult train(const TrainJob& job, ProgressBar& progress);

}  // namespace lmzoo
