#include "text/words/parallel_text.h"

#include <atomic>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/utf8.h"
#include "io/files.h"
#include "text/formats.h"

namespace lmzoo {
namespace {

// What a thread takes at a time: some ten milliseconds of work.
constexpr size_t kBlockBytes = size_t{2} << 20;

bool is_gzip(std::string_view text) { return text.starts_with("\x1f\x8b"); }

// Whether every line is a record and nothing but its own bytes decides what it is.
bool is_plain(const TextOptions& options, const std::string& path, std::string_view text) {
  return format_of(options, path) == TextFormat::lines && !path.ends_with(".gz") && !is_gzip(text) &&
         options.label.empty() && options.invalid_bytes == InvalidBytes::replace;
}

struct Block {
  std::string_view text;  // whole lines
  size_t file = 0;
  uint64_t offset = 0;
};

// Cuts texts behind line ends.
std::vector<Block> blocks_of(std::string_view text, size_t file) {
  std::vector<Block> blocks;
  for (size_t begin = 0; begin < text.size();) {
    size_t end = std::min(begin + kBlockBytes, text.size());
    const size_t line_end = end < text.size() ? text.find('\n', end) : std::string_view::npos;
    end = line_end == std::string_view::npos ? (end < text.size() ? text.size() : end) : line_end + 1;
    blocks.push_back({text.substr(begin, end - begin), file, begin});
    begin = end;
  }
  return blocks;
}

// A line as for_each_record gives it: without its end, repaired; empty when blank.
std::string_view record_of(std::string_view line, std::string& storage) {
  if (line.ends_with('\r')) {
    line.remove_suffix(1);
  }
  if (line.find_first_not_of(" \t\r\n\v\f") == std::string_view::npos) {
    return {};
  }
  if (is_utf8(line) && line.find('\0') == std::string_view::npos) {
    return line;
  }
  storage = line;
  replace_invalid_utf8(storage);
  return storage;
}

void read_block(const Block& block,
                const TextOptions& options,
                const std::string& path,
                const std::function<void(std::string_view)>& use) {
  std::string storage;
  std::string_view rest = block.text;
  if (block.offset == 0 && rest.starts_with("\xEF\xBB\xBF")) {
    rest.remove_prefix(3);
  }
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    if (static_cast<int64_t>(line.size()) > options.max_record_bytes) {
      throw InputError(Location{.file = path},
                       fmt::format("a line of over max_record_bytes = {} bytes", options.max_record_bytes));
    }
    const std::string_view record = record_of(line, storage);
    if (!record.empty()) {
      use(record);
    }
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
}

// Records on their way from the reader to the workers; a few blocks at a time.
class Handover {
 public:
  struct Records {
    std::string text;
    std::vector<size_t> ends;
  };
  explicit Handover(size_t most) : most_(most) {}

  bool put(Records records) {  // false: a worker has failed
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return waiting_.size() < most_ || closed_; });
    if (closed_) {
      return false;
    }
    waiting_.push_back(std::move(records));
    changed_.notify_all();
    return true;
  }
  std::optional<Records> take() {  // nothing: there is no more
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !waiting_.empty() || closed_; });
    if (waiting_.empty()) {
      return std::nullopt;
    }
    Records records = std::move(waiting_.front());
    waiting_.pop_front();
    changed_.notify_all();
    return records;
  }
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    changed_.notify_all();
  }

 private:
  size_t most_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Records> waiting_;
  bool closed_ = false;
};

// Closes at the end of a scope, so that an exception of one side never leaves the other waiting.
class Closing {
 public:
  explicit Closing(Handover& handover) : handover_(handover) {}
  ~Closing() { handover_.close(); }
  Closing(const Closing&) = delete;
  Closing& operator=(const Closing&) = delete;

 private:
  Handover& handover_;
};

void hand_out(const TextOptions& options, Handover& handover, const Progress& progress) {
  const Closing at_end(handover);
  Handover::Records records;
  bool wanted = true;
  for_each_record(
      options,
      [&](const TextRecord& record) {
        records.text += record.text;
        records.ends.push_back(records.text.size());
        if (records.text.size() >= kBlockBytes) {
          wanted = handover.put(std::exchange(records, {}));
        }
        return wanted;
      },
      progress);
  if (wanted) {
    handover.put(std::move(records));
  }
}

void read_with_one_reader(const TextOptions& options,
                          int threads,
                          const std::function<void(int, std::string_view)>& use,
                          const Progress& progress) {
  if (threads <= 1) {
    for_each_record(
        options,
        [&](const TextRecord& record) {
          use(0, record.text);
          return true;
        },
        progress);
    return;
  }
  Handover handover(static_cast<size_t>(threads));
  run_on_threads(threads, [&](int worker) {
    if (worker == 0) {
      hand_out(options, handover, progress);
      return;
    }
    try {
      while (const auto records = handover.take()) {
        size_t begin = 0;
        for (const size_t end : records->ends) {
          use(worker, std::string_view(records->text).substr(begin, end - begin));
          begin = end;
        }
      }
    } catch (...) {
      handover.close();
      throw;
    }
  });
}

}  // namespace

void run_on_threads(int threads, const std::function<void(int)>& use) {
  std::exception_ptr failure;
  std::mutex mutex;
  const auto guarded = [&](int worker) {
    try {
      use(worker);
    } catch (...) {
      const std::lock_guard lock(mutex);
      failure = failure ? failure : std::current_exception();
    }
  };
  std::vector<std::thread> others;
  for (int worker = 1; worker < threads; ++worker) {
    others.emplace_back(guarded, worker);
  }
  guarded(0);
  for (std::thread& other : others) {
    other.join();
  }
  if (failure) {
    std::rethrow_exception(failure);
  }
}

void for_each_record_in_parallel(const TextOptions& options,
                                 int threads,
                                 const std::function<void(int, std::string_view)>& use,
                                 const Progress& progress) {
  std::vector<MappedFile> files;
  std::vector<Block> blocks;
  for (const std::string& path : expand_files(options)) {
    files.emplace_back(path);
    if (!is_plain(options, path, files.back().text())) {
      read_with_one_reader(options, threads, use, progress);
      return;
    }
    const std::vector<Block> more = blocks_of(files.back().text(), files.size() - 1);
    blocks.insert(blocks.end(), more.begin(), more.end());
  }
  std::atomic<size_t> next{0};
  std::atomic<bool> stop{false};
  std::atomic<int64_t> records{0};
  run_on_threads(std::max(threads, 1), [&](int worker) {
    for (size_t i = next++; i < blocks.size() && !stop; i = next++) {
      try {
        if (worker == 0 && progress) {
          progress("reading text", static_cast<double>(i) / static_cast<double>(blocks.size()));
        }
        int64_t seen = 0;
        read_block(blocks[i], options, files[blocks[i].file].path(), [&](std::string_view text) {
          ++seen;
          use(worker, text);
        });
        records += seen;
      } catch (...) {
        stop = true;
        throw;
      }
    }
  });
  if (records == 0) {
    throw InputError({.file = files.front().path()}, "there is no text in it");
  }
}

}  // namespace lmzoo
