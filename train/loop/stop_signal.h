// SIGTERM and SIGINT ask a run to save and stop; a second one ends the process at once.
#pragma once

#include <stdexcept>

namespace lmzoo {

// Handles both signals while it lives (one at a time; main makes it before long work begins).
class StopSignal {
 public:
  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;
};

// The signal that has come since the handlers were set, or 0. The command exits with 128 + it.
int stop_signal();

// For work that cannot be saved half-way (building a tokenizer or a token store): throws out of it.
class Interrupted : public std::runtime_error {
 public:
  explicit Interrupted(int signal);
  int signal() const { return signal_; }

 private:
  int signal_;
};
void throw_if_stopped();

}  // namespace lmzoo
