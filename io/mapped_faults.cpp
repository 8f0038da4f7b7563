#include "io/mapped_faults.h"

#include <atomic>
#include <csignal>
#include <mutex>

#include <unistd.h>

#include "base/utf8.h"

namespace lmzoo {

// Never freed, so that the handler may walk along the list at any time; used again when its file is unmapped.
struct MappedRange {
  std::atomic<const char*> begin{nullptr};  // null: unused
  size_t size = 0;
  std::string message;
  MappedRange* next = nullptr;
};

namespace {

std::atomic<MappedRange*> first_range{nullptr};
std::mutex range_mutex;

MappedRange* unused_range() {
  for (MappedRange* range = first_range; range != nullptr; range = range->next) {
    if (range->begin == nullptr) {
      return range;
    }
  }
  auto* made = new MappedRange;  // NOLINT(cppcoreguidelines-owning-memory): the list owns it
  made->next = first_range;
  first_range = made;
  return made;
}

// Only what a signal handler may do.
extern "C" void end_by_a_shorter_file(int signal, siginfo_t* info, void*) {
  const auto* at = static_cast<const char*>(info->si_addr);
  for (const MappedRange* range = first_range; range != nullptr; range = range->next) {
    const char* begin = range->begin;
    if (begin != nullptr && at >= begin && at < begin + range->size) {
      [[maybe_unused]] const ssize_t written =
          ::write(STDERR_FILENO, range->message.data(), range->message.size());
      ::_exit(2);
    }
  }
  std::signal(signal, SIG_DFL);  // nothing of ours: the instruction is tried again, and ends the program
}

}  // namespace

MappedRange* note_mapping(const void* begin, size_t size, const std::string& path) {
  const std::lock_guard lock(range_mutex);
  MappedRange* range = unused_range();
  range->size = size;
  range->message = printable(path, 4096) + ": became shorter while it was read\n";
  range->begin = static_cast<const char*>(begin);
  return range;
}

void forget_mapping(MappedRange* range) { range->begin = nullptr; }

void tell_of_files_that_shrink() {
  struct sigaction action = {};
  action.sa_sigaction = end_by_a_shorter_file;
  action.sa_flags = SA_SIGINFO;
  sigemptyset(&action.sa_mask);
  sigaction(SIGBUS, &action, nullptr);
}

}  // namespace lmzoo
