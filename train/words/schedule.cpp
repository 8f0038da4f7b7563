#include "train/words/schedule.h"

#include <algorithm>
#include <atomic>
#include <thread>

#include "base/races.h"
#include "text/words/parallel_text.h"

namespace lmzoo {
namespace {

// A round is about 400 words: its rows stay in the second level of the cache. In the fixed schedule it is
// also what a thread does not see of the others' work.
constexpr int64_t kRounds = 25;

// Where threads wait for each other, some 10,000 times a second: so briefly that none should sleep, as
// waking costs more than the wait. A thread whose core is wanted by other programs gives it up.
class Meeting {
 public:
  explicit Meeting(int64_t threads) : threads_(threads) {}

  void wait() {
    const uint32_t meeting = done_.load(std::memory_order_acquire);
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == threads_) {
      arrived_.store(0, std::memory_order_relaxed);
      done_.store(meeting + 1, std::memory_order_release);
      done_.notify_all();
      return;
    }
    for (int spins = 0; spins < kSpins; ++spins) {
      if (done_.load(std::memory_order_acquire) != meeting) {
        return;
      }
      if (spins % kSpinsBetweenYields == kSpinsBetweenYields - 1) {
        std::this_thread::yield();
      }
    }
    done_.wait(meeting, std::memory_order_acquire);
  }

 private:
  static constexpr int kSpins = 200'000;  // about 0.2 ms
  static constexpr int kSpinsBetweenYields = 2000;

  int64_t threads_;
  alignas(64) std::atomic<int64_t> arrived_{0};
  alignas(64) std::atomic<uint32_t> done_{0};
};

// One thread's step, in rounds of nearly as many words.
class StepInRounds {
 public:
  StepInRounds(const WordSchedule& schedule, WordWorker& worker, RoundRows& rows)
      : schedule_(schedule), worker_(worker), rows_(rows) {}

  // A step behind the last has no words.
  void begin(int64_t step) {
    step_ = step;
    sums_ = {};
    at_ = 0;
    sentences_.clear();
    if (step < schedule_.total) {
      plan_ = schedule_.plan(step);
      schedule_.corpus.sentences(step % schedule_.corpus.steps(), sentences_);
    }
    words_ = 0;
    for (const Sentence& sentence : sentences_) {
      words_ += sentence.count;
    }
  }
  void collect(int64_t round) {
    worker_.begin(rows_);
    const int64_t goal = words_ * (round + 1) / kRounds;
    for (; at_ < sentences_.size() && sums_.words < goal; ++at_) {
      worker_.collect(sentences_[at_], plan_, rows_, sums_);
    }
  }
  void train() { worker_.train(rows_, plan_.lr, sums_); }
  float lr() const { return plan_.lr; }
  void finish() {
    if (step_ < schedule_.total) {
      schedule_.finish(step_, plan_.lr, sums_);
    }
  }

 private:
  const WordSchedule& schedule_;
  WordWorker& worker_;
  RoundRows& rows_;
  int64_t step_ = 0;
  int64_t words_ = 0;
  WordStepPlan plan_;
  WordStepSums sums_;
  std::vector<Sentence> sentences_;
  size_t at_ = 0;
};

}  // namespace

void train_freely(const WordSchedule& schedule, int64_t begin, int64_t end) {
  std::atomic<int64_t> next{begin};
  run_on_threads(static_cast<int>(schedule.threads), [&](int) {
    WordWorker worker(schedule.task, schedule.corpus, schedule.tables);
    RoundRows rows(schedule.tables);
    StepInRounds work(schedule, worker, rows);
    while (!schedule.stop()) {
      const int64_t step = next++;
      if (step >= end) {
        return;
      }
      work.begin(step);
      for (int64_t round = 0; round < kRounds; ++round) {
        work.collect(round);
        rows.locate();
        const RacesOnPurpose hogwild;
        work.train();
      }
      work.finish();
    }
  });
}

void train_in_rounds(const WordSchedule& schedule, int64_t begin, int64_t end) {
  const int64_t threads = schedule.threads;
  RowClaims claims(schedule.tables.rows());
  std::vector<RoundRows> rows;
  for (int64_t i = 0; i < threads; ++i) {
    rows.emplace_back(schedule.tables);
  }
  Meeting meeting(threads);
  std::atomic<bool> stop{false};
  run_on_threads(static_cast<int>(threads), [&](int thread) {
    const auto own = static_cast<size_t>(thread);
    WordWorker worker(schedule.task, schedule.corpus, schedule.tables);
    StepInRounds work(schedule, worker, rows[own]);
    uint32_t number = 0;
    for (int64_t base = begin; base < end; base += threads) {
      if (thread == 0) {
        stop = schedule.stop();
      }
      meeting.wait();
      if (stop) {
        return;
      }
      work.begin(base + thread);
      for (int64_t round = 0; round < kRounds; ++round) {
        work.collect(round);
        rows[own].claim(claims, ++number);
        meeting.wait();
        rows[own].locate(claims, number);
        work.train();
        meeting.wait();
        rows[own].merge(rows, own, work.lr());
        meeting.wait();
      }
      work.finish();
    }
  });
}

}  // namespace lmzoo
