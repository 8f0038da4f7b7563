// What threads report of finished steps, put in order: rows of metrics.jsonl, and the bar.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "train/loop/evaluate.h"
#include "train/loop/metrics.h"
#include "train/loop/progress.h"
#include "train/saved/checkpoint.h"
#include "train/words/worker.h"

namespace lmzoo {

class StepLog {
 public:
  struct Settings {
    std::string run;
    int64_t log_every = 10;
    int64_t steps = 0;      // of the run
    double pair_flops = 0;  // work of one prediction
  };
  // Goes on where `state` stands; its totals are kept up to date.
  StepLog(const Settings& settings, TrainState& state, ProgressBar& progress);

  // Thread-safe. Steps may come in any order; they are counted in their own.
  void finish(int64_t step, float lr, const WordStepSums& sums);
  void texts(const std::vector<TextRow>& rows) { log_.texts(rows); }
  void start_clock();
  void stop_clock();  // adds the time since start_clock() to the state
  void evaluation(const std::string& split, const EvalResult& result);
  Json interval() const;  // sums since the last row, which the state keeps
  void sync() { log_.sync(); }
  double last_loss() const { return last_loss_; }
  // A step whose loss was no number or infinite; -1: there was none. Thread-safe.
  int64_t broken_step() const { return broken_step_; }

 private:
  struct Done {
    float lr;
    WordStepSums sums;
  };
  void row();
  double seconds() const;

  Settings settings_;
  TrainState& state_;
  ProgressBar& progress_;
  MetricsLog log_;
  std::mutex mutex_;
  std::atomic<int64_t> broken_step_{-1};
  std::map<int64_t, Done> waiting_;  // finished before one that stands before them
  int64_t next_;                     // the step that is counted next
  WordStepSums since_row_;
  double pairs_ = 0;
  double seconds_at_row_ = 0;
  float lr_ = 0;
  double last_loss_ = 0;
  std::string text_;
  std::chrono::steady_clock::time_point began_;
};

}  // namespace lmzoo
