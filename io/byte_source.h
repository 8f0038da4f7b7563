// The bytes of a file, plain or gzip, through a window of memory that moves forward.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace lmzoo {

// gzip is recognized by its content; a file named .gz must have it. A damaged or truncated gzip file is an
// InputError.
class ByteSource {
 public:
  explicit ByteSource(const std::string& path);
  ~ByteSource();
  ByteSource(ByteSource&&) noexcept;
  ByteSource& operator=(ByteSource&&) noexcept;

  // The bytes at the current position: at least `wanted`, or all that are left. Valid until the next call.
  // `line` is where they stand, for messages; 0: unknown.
  std::string_view peek(size_t wanted, int64_t line = 0);
  void skip(size_t count);  // at most what peek() gave

  const std::string& path() const;
  bool compressed() const;
  uint64_t bytes_read() const;  // of the file as it lies on the disk, for progress
  uint64_t file_bytes() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace lmzoo
