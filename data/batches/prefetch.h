// Items 0, 1, 2, ... of a function, made ahead by threads and taken in order. At most `capacity` items are
// in work or ready at once.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

namespace lmzoo {

// One thread takes. Destruction lets items in work finish and drops them.
template <class T>
class Prefetch {
 public:
  using Produce = std::function<T(uint64_t index)>;  // thread-safe

  Prefetch(Produce produce, int64_t threads, int64_t capacity)
      : produce_(std::move(produce)), slots_(static_cast<size_t>(capacity)) {
    for (int64_t i = 0; i < threads; ++i) {
      threads_.emplace_back([this](const std::stop_token& stop) { work(stop); });
    }
  }

  ~Prefetch() {
    for (std::jthread& thread : threads_) {
      thread.request_stop();
    }
  }

  // The next item; rethrows what making it threw.
  T next() {
    std::unique_lock lock(mutex_);
    Slot& slot = slots_[taken_ % slots_.size()];
    ready_.wait(lock, [&] { return slot.value || slot.error; });
    Slot item = std::exchange(slot, Slot{});
    ++taken_;
    lock.unlock();
    room_.notify_one();
    if (item.error) {
      std::rethrow_exception(item.error);
    }
    return std::move(*item.value);
  }

 private:
  struct Slot {
    std::optional<T> value;
    std::exception_ptr error;
  };

  void work(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (room_.wait(lock, stop, [&] { return started_ < taken_ + slots_.size(); })) {
      const uint64_t index = started_++;
      lock.unlock();
      Slot item = make(index);
      lock.lock();
      slots_[index % slots_.size()] = std::move(item);
      ready_.notify_one();
      if (stop.stop_requested()) {
        return;
      }
    }
  }

  Slot make(uint64_t index) const {
    Slot item;
    try {
      item.value.emplace(produce_(index));
    } catch (...) {
      item.error = std::current_exception();
    }
    return item;
  }

  Produce produce_;
  std::mutex mutex_;
  std::condition_variable_any room_;
  std::condition_variable_any ready_;
  std::vector<Slot> slots_;
  uint64_t started_ = 0;
  uint64_t taken_ = 0;
  std::vector<std::jthread> threads_;  // last: stopped and joined before what they use goes away
};

}  // namespace lmzoo
