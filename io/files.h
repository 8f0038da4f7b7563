// Files: mapped reading, and writing that leaves either the old or the new content, whatever happens in
// between. Every failure is an InputError that names the path, what failed and, for a full disk or a folder
// that may not be written, what to do about it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace lmzoo {

struct MappedRange;

// The bytes of a regular file, mapped read-only. The file must not shrink while it is mapped: reading what is gone ends
// the program with one line (io/mapped_faults.h). Files that are replaced by rename, as all of ours are, keep their old
// bytes alive.
class MappedFile {
 public:
  MappedFile() = default;
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;

  std::span<const std::byte> bytes() const { return {static_cast<const std::byte*>(data_), size_}; }
  std::string_view text() const { return {static_cast<const char*>(data_), size_}; }
  const std::string& path() const { return path_; }

 private:
  void* data_ = nullptr;
  size_t size_ = 0;
  MappedRange* range_ = nullptr;  // what mapped_faults.h knows of it
  std::string path_;
};

// A whole small regular file; over `max_bytes` is an error that names both sizes.
std::string read_text_file(const std::string& path, size_t max_bytes);

// Buffered writing to an open file. A failed write throws and drops what was buffered.
class FileSink {
 public:
  FileSink(int descriptor, std::string path);
  void write(std::span<const std::byte> bytes);
  void write(std::string_view text);
  void flush();
  uint64_t size() const { return size_; }

 private:
  int descriptor_;
  std::string path_;  // for messages
  std::string buffer_;
  uint64_t size_ = 0;
};

// A file that grows at its end: logs. Other processes see a line once it is flushed.
class AppendFile {
 public:
  explicit AppendFile(const std::string& path);  // makes the file and its folder when they are missing
  ~AppendFile();                                 // flushes; a failure then is silent
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;

  void write(std::string_view text) { sink_.write(text); }
  void flush() { sink_.flush(); }
  void sync();  // to the disk

 private:
  std::string path_;
  int descriptor_;
  FileSink sink_;
};

// Writes a temporary file in the same folder (made if missing), syncs it, renames it over `path`, syncs the
// folder. When anything throws, `path` is as it was and the temporary is gone.
//
// Temporaries are named ".NAME.tmp-" and 16 random hexadecimal digits; while their owner lives it holds flock(2) on
// them, which the kernel releases with it: so whether one is a leftover is known in any container and on any host.
void write_atomically(const std::string& path, std::string_view bytes);
void write_atomically(const std::string& path, const std::function<void(FileSink&)>& write);

// A folder that appears whole or not at all: write into path(), then commit().
class StagedFolder {
 public:
  explicit StagedFolder(std::string final_path);  // makes a temporary folder beside it
  ~StagedFolder();                                // removes it unless committed
  StagedFolder(const StagedFolder&) = delete;
  StagedFolder& operator=(const StagedFolder&) = delete;

  const std::string& path() const { return path_; }
  // Syncs everything in it, renames it, syncs the parent. A folder that is there is exchanged in one step and then
  // removed (where the file system cannot exchange, it is removed first).
  void commit();

 private:
  std::string final_;
  std::string path_;
  int descriptor_ = -1;  // by which it is owned
};

// Removes a folder that nobody may see half-removed: under a temporary name. InputError when it cannot.
void remove_folder(const std::string& path);

// Removes temporaries of write_atomically and StagedFolder that a process left in `folder` when it was killed; those
// that somebody owns stay, and all of them where the file system has no locks.
void remove_leftovers(const std::string& folder);

void make_folders(const std::string& path);

// Throws when the file system of `folder` (or of its nearest existing parent) has fewer free bytes.
void ensure_space(const std::string& folder, uint64_t bytes);

// "512 B", "1.5 GiB".
std::string human_bytes(uint64_t bytes);

// CRC-32 (zlib's) of `bytes`, going on from `crc`.
uint32_t crc32(std::span<const std::byte> bytes, uint32_t crc = 0);
uint32_t crc32_of_file(const std::string& path);

inline std::span<const std::byte> as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

}  // namespace lmzoo
