#include "train/loop/stop_signal.h"

#include <atomic>
#include <csignal>

#include "base/check.h"

namespace lmzoo {
namespace {

std::atomic<int> caught = 0;
static_assert(std::atomic<int>::is_always_lock_free);

// Only what a signal handler may do.
extern "C" void note_signal(int signal) {
  if (caught != 0) {
    std::signal(signal, SIG_DFL);
    std::raise(signal);
  }
  caught = signal;
}

}  // namespace

StopSignal::StopSignal() {
  caught = 0;
  struct sigaction action = {};
  action.sa_handler = note_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
}

StopSignal::~StopSignal() {
  std::signal(SIGTERM, SIG_DFL);
  std::signal(SIGINT, SIG_DFL);
  caught = 0;
}

int stop_signal() { return caught; }

Interrupted::Interrupted(int signal)
    : std::runtime_error(fmt::format("stopped by signal {}", signal)), signal_(signal) {}

void throw_if_stopped() {
  if (caught != 0) {
    throw Interrupted(caught);
  }
}

}  // namespace lmzoo
