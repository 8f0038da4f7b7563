#include "train/loop/loop.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <iterator>
#include <limits>

#include <ATen/ops/stack.h>

#include "base/check.h"
#include "io/held_folder.h"
#include "train/loop/bad_steps.h"
#include "train/loop/device_batches.h"
#include "train/loop/evaluate_sets.h"
#include "train/loop/interval.h"
#include "train/loop/metrics.h"
#include "train/loop/step.h"
#include "train/loop/stop_signal.h"
#include "train/saved/finite.h"
#include "train/saved/resume.h"
#include "train/saved/save_clock.h"

namespace lmzoo {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

class Run {
 public:
  Run(const TrainJob& job, ProgressBar& progress);
  TrainResult go();

 private:
  void begin();
  void go_on(const Resumed& resumed);
  std::map<std::string, std::string> identity() const;
  bool finished_early() const;

  void step();
  void read_pending();
  void account(const StepOutcome& outcome, const double* values);
  void skipped(const StepOutcome& outcome, double loss);
  void log_row();

  bool evaluate_now();
  bool evaluate_safely();
  void log(const std::vector<NamedEvaluation>& all);
  void adapt();
  bool note_best(const EvalResult& valid);
  void save();
  TrainResult finish(StopReason reason);

  const TrainJob& job_;
  ProgressBar& progress_;
  std::unique_ptr<BatchSource> ahead_;  // when a GPU computes
  BatchSource& batches_;
  ScheduleContext schedule_;
  Snapshot snapshot_;
  TrainState state_;
  std::unique_ptr<MetricsLog> log_;
  TrainResult result_;

  std::vector<StepOutcome> pending_;  // steps whose values are still on the device
  Interval interval_;
  BadSteps bad_;
  double last_lr_ = 0;
  std::vector<std::string> slot_names_;  // none when there is one kind of prediction
  std::string summary_;                  // of the last row, beside the bar
  std::unique_ptr<HeldFolder> folder_;
  SaveClock clock_;
  int64_t saved_step_ = 0;
  bool saved_ = false;  // the newest checkpoint is of this state
};

Run::Run(const TrainJob& job, ProgressBar& progress)
    : job_(job),
      progress_(progress),
      ahead_(read_ahead(job.batches, job.device)),
      batches_(ahead_ ? *ahead_ : job.batches),
      schedule_{.lr = job.lr, .steps = job.phase.scheduled(job.train.steps), .width = job.model.width()},
      snapshot_{.weights = weights(job.model, job.objective), .optimizer = job.optimizer.state()},
      clock_(job.train.save_minutes) {
  validate(job.schedule, schedule_);
}

std::map<std::string, std::string> Run::identity() const {
  auto all = job_.identity;
  all["steps"] = std::to_string(job_.phase.run_steps(job_.train.steps));
  return all;
}

void Run::begin() {
  const std::map<std::string, std::string> now = identity();
  const auto resumed = resume_run({.run = job_.run,
                                   .resume = job_.resume,
                                   .snapshot = snapshot_,
                                   .identity = now,
                                   .inputs = job_.inputs,
                                   .other_inputs = job_.other_inputs,
                                   .phase = job_.phase.number,
                                   .note = [&](const std::string& line) { progress_.note(line); }});
  if (resumed) {
    go_on(*resumed);
  } else {
    state_.inputs = job_.inputs;
  }
  state_.classes = job_.phase.classes;
  folder_ = std::make_unique<HeldFolder>(job_.run);
  log_ = std::make_unique<MetricsLog>(job_.run, LoggedUntil{state_.step, state_.evaluated_step});
  if (!resumed) {
    log_->texts(job_.texts);
  }
  if (!job_.phase.name.empty() && state_.step == job_.phase.first_step) {
    log_->phase(state_.step, job_.phase.name);
  }
  slot_names_ = names_of_several(job_.objective.slots());
  job_.model.train(!job_.probe);
  job_.objective.train();
  job_.optimizer.clear_gradients();
  if (job_.objective.adapts()) {
    job_.objective.follow();
  }
}

void Run::go_on(const Resumed& resumed) {
  state_ = resumed.state;
  saved_step_ = result_.resumed_at = state_.step;
  saved_ = !resumed.carried;
  if (resumed.carried) {
    batches_.begin_phase(job_.phase.number, state_.batches, resumed.same_text);
    return;
  }
  batches_.restore(state_.batches);
  interval_ = interval_from(state_.interval);
}

bool Run::finished_early() const {
  return job_.eval.patience > 0 && state_.evaluations_since_best >= job_.eval.patience;
}

void Run::step() {
  const Clock::time_point begin = Clock::now();
  const int64_t n = state_.step + 1;
  std::vector<Batch> micro_batches;
  for (int64_t i = 0; i < job_.train.micro_batches; ++i) {
    micro_batches.push_back(batches_.next());
  }
  const StepParts parts{.model = job_.model,
                        .objective = job_.objective,
                        .optimizer = job_.optimizer,
                        .seed = job_.seed,
                        .precision = job_.train.precision,
                        .device = job_.device};
  if (job_.unfreezing) {
    job_.unfreezing->apply(n);
  }
  last_lr_ = learning_rate(job_.schedule, schedule_, job_.phase.schedule_step(n));
  pending_.push_back(train_step(parts, micro_batches, n, last_lr_));
  state_.step = n;
  saved_ = false;
  const StepWork& work = pending_.back().work;
  state_.tokens += work.tokens;
  state_.labels += work.labels;
  interval_.tokens += work.tokens;
  interval_.targets += work.labels;
  interval_.flops += work.flops;
  interval_.add(work.corpora, interval_.corpora);
  interval_.add(work.slot_labels, interval_.slot_labels);
  // Reading waits for the device: on a GPU only when a row is due, or when as many steps may have failed as
  // end the run.
  const bool row_due = n % job_.train.log_every == 0 || n == job_.train.steps;
  if (job_.device.is_cpu() || row_due || static_cast<int64_t>(pending_.size()) >= job_.train.max_skipped) {
    read_pending();
  }
  const double seconds = seconds_since(begin);
  interval_.seconds += seconds;
  state_.seconds += seconds;
  if (row_due) {
    log_row();
  }
  progress_.update(state_.step, summary_);
}

void Run::read_pending() {
  if (pending_.empty()) {
    return;
  }
  std::vector<Tensor> values;
  for (const StepOutcome& outcome : pending_) {
    values.push_back(outcome.values);
  }
  const Tensor all = at::stack(values).to(at::kCPU);  // [steps, 3]
  for (size_t i = 0; i < pending_.size(); ++i) {
    account(pending_[i], all.const_data_ptr<double>() + 3 * i);
  }
  pending_.clear();
}

void Run::account(const StepOutcome& outcome, const double* values) {
  const double loss = values[0], norm = values[1];
  if (values[2] != 0) {
    skipped(outcome, loss);
    return;
  }
  state_.skipped_in_a_row = 0;
  bad_ = {};
  interval_.loss_sum += loss;
  interval_.norm_sum += norm;
  interval_.total += outcome.work.total;
  ++interval_.steps;
}

void Run::skipped(const StepOutcome& outcome, double loss) {
  ++state_.skipped;
  ++state_.skipped_in_a_row;
  bad_.add(outcome, loss);
  if (state_.skipped_in_a_row >= job_.train.max_skipped) {
    bad_.end_run(outcome.step, state_.skipped_in_a_row, job_.train.max_skipped);
  }
}

void Run::log_row() {
  TrainRow row = interval_.row(state_);
  row.lr = last_lr_;
  row.memory_bytes = peak_memory_bytes(job_.device);
  row.windows = named(job_.corpora, interval_.corpora);
  row.slot_labels = named(slot_names_, interval_.slot_labels);
  log_->train(row);
  log_->flush();
  result_.last_loss = row.loss;
  summary_ =
      fmt::format("loss {:.4f}  lr {:.2e}  {} tokens/s", row.loss, row.lr, short_count(row.tokens_per_s));
  interval_ = {};
}

// True when it is the best one so far.
bool Run::evaluate_now() {
  const bool is_new = state_.evaluated_step != state_.step;
  const std::vector<NamedEvaluation> all = evaluate_all(job_, is_new);
  if (all.empty()) {
    return false;
  }
  result_.valid = all.front().result;
  if (!is_new) {
    return false;
  }
  state_.evaluated_step = state_.step;
  saved_ = false;
  adapt();
  log(all);
  return note_best(*result_.valid);
}

void Run::log(const std::vector<NamedEvaluation>& all) {
  for (const std::string& line : log_evaluations(*log_, state_.step, all)) {
    progress_.note(line);
  }
}

// Batches that were made ahead followed what was known before: they are made again. Nobody makes any meanwhile.
void Run::adapt() {
  if (job_.objective.adapts()) {
    batches_.restore(batches_.state());
    job_.objective.adapt();
  }
}

bool Run::note_best(const EvalResult& valid) {
  const auto mark = improved(state_.best, valid, job_.eval.best_by, state_.step);
  state_.best = mark ? mark : state_.best;
  state_.evaluations_since_best = mark ? 0 : state_.evaluations_since_best + 1;
  return mark.has_value();
}

// Steps that are skipped one after the other may come of weights that are lost, so nothing older goes for theirs.
void Run::save() {
  clock_.begin_save();
  read_pending();
  check_finite(snapshot_.weights, {.step = state_.step, .saved = saved_step_});
  if (folder_->renamed()) {
    progress_.note(
        fmt::format("the folder of the run is now {}, and the run goes on there", folder_->path()));
  }
  state_.batches = batches_.state();
  state_.interval = to_json(interval_);
  state_.identity = identity();
  log_->sync();
  const bool healthy = state_.skipped_in_a_row == 0;
  const std::string warning =
      save_checkpoint(folder_->path(),
                      snapshot_,
                      state_,
                      {.last = healthy ? job_.train.keep_last : std::numeric_limits<int64_t>::max(),
                       .steps = job_.milestones});
  if (!warning.empty()) {
    progress_.note("warning: " + warning);
  }
  saved_step_ = state_.step;
  saved_ = true;
  clock_.end_save();
}

// The steps before an evaluation are not lost with it.
bool Run::evaluate_safely() {
  try {
    return evaluate_now();
  } catch (...) {
    if (!saved_) {
      save();
    }
    throw;
  }
}

TrainResult Run::finish(StopReason reason) {
  check(reason != StopReason::finished || state_.labels > 0,
        "none of {} steps had a label, so nothing was learned: texts that fill the window leave no room for "
        "what is to be "
        "predicted, and a rate of masking may be too low for their length",
        state_.step);
  if (reason != StopReason::signal && job_.valid && !result_.valid) {
    evaluate_safely();
  }
  read_pending();
  if (!saved_) {
    save();
  }
  result_.reason = stop_signal() != 0 ? StopReason::signal : reason;
  result_.signal = stop_signal();
  result_.state = state_;
  return result_;
}

TrainResult Run::go() {
  begin();
  if (job_.valid && state_.step == job_.phase.first_step) {
    try_evaluation(job_);
    if (job_.eval.at_start) {
      log(evaluate_all(job_, true));  // the weights that it begins with, which are no candidate for the best
    }
  }
  const auto due = [&](int64_t every) { return every > 0 && state_.step % every == 0; };
  const auto evaluate_if_due = [&] {
    const bool last = state_.step == job_.train.steps;
    return job_.valid && state_.step > state_.evaluated_step && (due(job_.eval.every) || last) &&
           evaluate_safely();
  };
  // The evaluation that a signal cut short comes first.
  if (evaluate_if_due()) {
    save();
  }
  progress_.start(state_.step, job_.train.steps);
  while (state_.step < job_.train.steps && stop_signal() == 0 && !finished_early()) {
    result_.valid.reset();
    step();
    // Before an evaluation, which may take as long as many steps, or the memory that ends the process.
    if (due(job_.train.save_every) || clock_.due() ||
        std::ranges::binary_search(job_.milestones, state_.step) ||
        (job_.valid && state_.step == job_.train.steps)) {
      save();
    }
    if (evaluate_if_due()) {
      save();
    }
  }
  progress_.finish();
  if (stop_signal() != 0) {
    return finish(StopReason::signal);
  }
  return finish(state_.step < job_.train.steps ? StopReason::early : StopReason::finished);
}

}  // namespace

TrainResult train(const TrainJob& job, ProgressBar& progress) { return Run(job, progress).go(); }

}  // namespace lmzoo
