// TensorBoard event files: scalars and texts of a run.
//
// A record is u64 length | u32 masked CRC-32C of it | an Event protobuf | u32 masked CRC-32C of that, little
// endian.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "io/files.h"

namespace lmzoo {

class EventFile {
 public:
  // Opens a new file events.out.tfevents.TIME.HOST.PID in `folder`. A run that resumes says at which step:
  // TensorBoard then forgets what an earlier file says about that step and later ones.
  explicit EventFile(const std::string& folder, int64_t resumed_at = 0);

  void scalar(std::string_view tag, int64_t step, double value);
  void text(std::string_view tag, int64_t step, std::string_view markdown);
  void flush() { file_.flush(); }

  const std::string& path() const { return path_; }

 private:
  void write_event(int64_t step, std::string_view what);

  std::string path_;
  AppendFile file_;
};

}  // namespace lmzoo
