// When a checkpoint is due by time: train.save_minutes after the last one, but not so often that saving takes over a
// twentieth of the time.
#pragma once

#include <algorithm>
#include <chrono>

namespace lmzoo {

class SaveClock {
 public:
  explicit SaveClock(double minutes) : minutes_(minutes) {}

  bool due() const {
    return minutes_ > 0 && since(saved_) >= std::max(60 * minutes_, kLeastShare * save_seconds_);
  }
  // Around every save.
  void begin_save() { began_ = Clock::now(); }
  void end_save() {
    save_seconds_ = since(began_);
    saved_ = Clock::now();
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr double kLeastShare = 20;
  static double since(Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
  }

  double minutes_;  // 0: never
  double save_seconds_ = 0;
  Clock::time_point saved_ = Clock::now(), began_ = saved_;
};

}  // namespace lmzoo
