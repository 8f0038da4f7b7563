#include "train/words/train.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <deque>

#include <ATen/ops/from_blob.h>

#include "base/check.h"
#include "base/rng.h"
#include "core/device.h"
#include "io/held_folder.h"
#include "nn/words/options.h"
#include "objectives/parts/word_options.h"
#include "train/loop/stop_signal.h"
#include "train/saved/resume.h"
#include "train/saved/save_clock.h"
#include "train/words/schedule.h"
#include "train/words/step_log.h"
#include "train/words/work.h"

namespace lmzoo {
namespace {

// The model's tables: views of rows that are padded to whole vectors (models/word2vec.cpp).
WordTables tables_of(Model& model) {
  WordTables tables;
  for (const auto& parameter : model.named_parameters()) {
    const Tensor& table = parameter.value;
    auto* data = table.data_ptr<float>();
    tables.stride = padded_width(table.size(1));
    if (table.stride(0) != tables.stride && table.size(0) > 1) {
      throw std::logic_error("the rows of a table of word vectors are not padded");
    }
    if (parameter.name == "ngrams.weight") {
      tables.ngrams = data;
      tables.buckets = table.size(0);
      continue;
    }
    tables.words = table.size(0);
    (parameter.name == "tokens.weight" ? tables.inputs : tables.outputs) = data;
  }
  return tables;
}

// While it lives, the rows of a table stand without padding, so that a checkpoint is written without a copy
// of the whole table: memory is the tables' and no more.
class PackedTable {
 public:
  explicit PackedTable(Tensor table)
      : table_(std::move(table)), width_(table_.size(1)), stride_(padded_width(width_)) {
    for (int64_t row = 1; row < table_.size(0); ++row) {
      std::memmove(data() + row * width_, data() + row * stride_, row_bytes());
    }
  }
  ~PackedTable() {
    for (int64_t row = table_.size(0) - 1; row >= 0; --row) {
      std::memmove(data() + row * stride_, data() + row * width_, row_bytes());
      std::fill(data() + row * stride_ + width_, data() + (row + 1) * stride_, 0.0F);
    }
  }
  PackedTable(const PackedTable&) = delete;
  PackedTable& operator=(const PackedTable&) = delete;

  Tensor tensor() const { return at::from_blob(data(), table_.sizes(), at::kFloat); }

 private:
  float* data() const { return table_.data_ptr<float>(); }
  size_t row_bytes() const { return static_cast<size_t>(width_) * sizeof(float); }

  Tensor table_;
  int64_t width_, stride_;
};

class WordRun {
 public:
  WordRun(const WordVectorJob& job, ProgressBar& progress)
      : job_(job),
        progress_(progress),
        config_(job.config),
        task_(config_.objective.options.as<WordOptions>(),
              config_.objective.type == kCbow,
              *job.vocabulary.counts),
        corpus_(job.store, config_.data.sequence_length),
        tables_(tables_of(job.model)),
        snapshot_{.weights = weights(job.model, job.objective), .optimizer = {}},
        total_(config_.train.epochs.value() * corpus_.steps()),
        clock_(config_.train.save_minutes) {
    if (const auto& ngrams = config_.model.options.as<Word2vecOptions>().ngrams) {
      task_.ngrams.emplace(*job.vocabulary.words, *ngrams);
    }
  }

  TrainResult go() {
    begin();
    progress_.start(state_.step * kStepWords, total_ * kStepWords);
    while (state_.step < total_ && stop_signal() == 0) {
      const int64_t every = config_.train.save_every;
      const int64_t pause = every > 0 ? (state_.step / every + 1) * every : total_;
      log_->start_clock();
      train_until(pause);
      log_->stop_clock();
      check_finite();
      save();  // also before the evaluation, which may fail
    }
    progress_.finish();
    const bool evaluated =
        job_.valid && state_.step == total_ && state_.evaluated_step < total_ && evaluate_now();
    if (evaluated || !saved_) {
      save();
    }
    result_.reason = stop_signal() != 0 && state_.step < total_ ? StopReason::signal : StopReason::finished;
    result_.signal = stop_signal();
    result_.last_loss = log_->last_loss();
    result_.state = state_;
    return result_;
  }

 private:
  void begin() {
    check(corpus_.words() > 0, "data.train: there is no word in the text");
    const auto resumed = resume_run({.run = job_.run,
                                     .resume = job_.resume,
                                     .snapshot = snapshot_,
                                     .identity = job_.identity,
                                     .inputs = job_.inputs,
                                     .other_inputs = job_.other_inputs,
                                     .note = [&](const std::string& line) { progress_.note(line); }});
    if (resumed) {
      state_ = resumed->state;
      result_.resumed_at = state_.step;
      saved_ = true;
    } else {
      state_.inputs = job_.inputs;
    }
    folder_ = std::make_unique<HeldFolder>(job_.run);
    const double outputs = task_.tree ? std::log2(static_cast<double>(tables_.words) + 1)
                                      : static_cast<double>(task_.options.negatives + 1);
    log_ = std::make_unique<StepLog>(
        StepLog::Settings{.run = job_.run,
                          .log_every = config_.train.log_every,
                          .steps = total_,
                          .pair_flops = 6 * static_cast<double>(job_.model.width()) * outputs},
        state_,
        progress_);
    if (!resumed) {
      log_->texts(job_.texts);
    }
  }

  WordStepPlan plan_of(int64_t step) const {
    return {.lr = static_cast<float>(word_learning_rate(config_, step, total_)),
            .seed = config_.stream_seed(),
            .epoch = static_cast<uint64_t>(step / corpus_.steps())};
  }

  // Steps until `pause`; in the fixed schedule some more, as rounds are of all threads.
  void train_until(int64_t pause) {
    const WordSchedule schedule{
        .task = task_,
        .corpus = corpus_,
        .tables = tables_,
        .threads = job_.threads,
        .total = total_,
        .plan = [&](int64_t step) { return plan_of(step); },
        .stop = [&] { return stop_signal() != 0 || log_->broken_step() >= 0 || clock_.due(); },
        .finish = [&](int64_t step, float lr, const WordStepSums& sums) { log_->finish(step, lr, sums); }};
    const int64_t end = std::min(pause, total_);
    const bool in_rounds = config_.train.deterministic && job_.threads > 1;
    in_rounds ? train_in_rounds(schedule, state_.step, end) : train_freely(schedule, state_.step, end);
  }

  // The reference loss on other text; its negatives follow from the seed.
  bool evaluate_now() {
    seed_generators(seed_of({.seed = config_.stream_seed(), .purpose = Purpose::sampling}), at::kCPU);
    const EvalSettings settings{.max_batches = config_.eval.max_batches};
    result_.valid = evaluate(job_.model, job_.objective, *job_.valid, settings);
    if (result_.valid) {
      state_.evaluated_step = state_.step;
      log_->evaluation(job_.valid->name, *result_.valid);
    }
    return result_.valid.has_value();
  }

  // Vectors that are no numbers help nobody: the last checkpoint stays. The losses tell within a step, the
  // tables tell of rows that no measured group had.
  void check_finite() const {
    check(log_->broken_step() < 0,
          "step {}: the loss is not finite any more; a lower optimizer.lr may help",
          log_->broken_step());
    const at::NoGradGuard no_gradient;
    for (const NamedTensor& table : snapshot_.weights) {
      check(std::isfinite(table.tensor.sum().item<double>()),
            "step {}: {} is not finite any more; a lower optimizer.lr may help",
            state_.step,
            table.name);
    }
  }

  void save() {
    clock_.begin_save();
    if (folder_->renamed()) {
      progress_.note(
          fmt::format("the folder of the run is now {}, and the run goes on there", folder_->path()));
    }
    log_->sync();
    state_.interval = log_->interval();
    state_.batches = {{"words", state_.tokens}};
    state_.identity = job_.identity;
    std::deque<PackedTable> tables;
    Snapshot packed;
    for (const NamedTensor& weight : snapshot_.weights) {
      packed.weights.push_back({weight.name, tables.emplace_back(weight.tensor).tensor()});
    }
    const std::string warning =
        save_checkpoint(folder_->path(), packed, state_, {.last = config_.train.keep_last});
    if (!warning.empty()) {
      progress_.note("warning: " + warning);
    }
    saved_ = true;
    clock_.end_save();
  }

  const WordVectorJob& job_;
  ProgressBar& progress_;
  const RunConfig& config_;
  WordTask task_;
  WordCorpus corpus_;
  WordTables tables_;
  Snapshot snapshot_;
  int64_t total_;  // steps of all passes
  TrainState state_;
  std::unique_ptr<HeldFolder> folder_;
  SaveClock clock_;
  bool saved_ = false;  // there is a checkpoint
  std::unique_ptr<StepLog> log_;
  TrainResult result_;
};

}  // namespace

TrainResult train_word_vectors(const WordVectorJob& job, ProgressBar& progress) {
  return WordRun(job, progress).go();
}

}  // namespace lmzoo
