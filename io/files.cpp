#include "io/files.h"

#include <array>
#include <filesystem>
#include <system_error>
#include <utility>

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <zlib.h>

#include "io/descriptor.h"
#include "io/mapped_faults.h"

namespace lmzoo {
namespace {

namespace fs = std::filesystem;

constexpr size_t kBufferBytes = 1 << 20;

std::string system_message(int error) {
  std::string text = std::generic_category().message(error);
  if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z') {
    text[0] = static_cast<char>(text[0] - 'A' + 'a');
  }
  return text;
}

// Opens a regular file and tells its size. O_NONBLOCK: a pipe must be refused, not waited for.
int open_regular(const std::string& path, size_t& size) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) {
    fail_reading(path, errno);
  }
  struct stat info {};
  if (::fstat(descriptor, &info) != 0 || !S_ISREG(info.st_mode)) {
    ::close(descriptor);
    throw InputError(Location{path},
                     S_ISDIR(info.st_mode) ? "is a folder, not a file" : "is not a regular file");
  }
  size = static_cast<size_t>(info.st_size);
  return descriptor;
}

void write_fully(int descriptor, const char* data, size_t size, const std::string& path) {
  while (size > 0) {
    const ssize_t written = ::write(descriptor, data, size);
    if (written < 0 && errno != EINTR) {
      fail_writing(path, errno);
    }
    if (written > 0) {
      data += written;
      size -= static_cast<size_t>(written);
    }
  }
}

int open_to_append(const std::string& path) {
  make_folders(parent_of(path));
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (descriptor < 0) {
    fail_writing(path, errno);
  }
  return descriptor;
}

}  // namespace

void fail_reading(const std::string& path, int error) {
  if (error == ENOENT || error == ENOTDIR) {
    throw InputError(Location{path}, "no such file");
  }
  if (error == EACCES || error == EPERM) {
    throw InputError(Location{path}, "may not be read (permission denied)");
  }
  throw InputError(Location{path}, "cannot read: " + system_message(error));
}

void fail_writing(const std::string& path, int error) {
  if (error == ENOSPC || error == EDQUOT) {
    throw InputError(Location{path},
                     "cannot write: the disk is full; free some space or choose another folder");
  }
  if (error == EACCES || error == EPERM || error == EROFS) {
    throw InputError(
        Location{path},
        "cannot write: the folder is read-only; choose another folder or change its permissions");
  }
  throw InputError(Location{path}, "cannot write: " + system_message(error));
}

std::string parent_of(const std::string& path) {
  const fs::path parent = fs::path(path).parent_path();
  return parent.empty() ? "." : parent.string();
}

void sync_descriptor(int descriptor, const std::string& path) {
  // Some network file systems cannot sync a folder and say EINVAL; nothing more can be done there.
  if (::fsync(descriptor) != 0 && errno != EINVAL) {
    fail_writing(path, errno);
  }
}

void sync_path(const std::string& path) {
  const Descriptor descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (descriptor.get() < 0) {
    fail_writing(path, errno);
  }
  sync_descriptor(descriptor.get(), path);
}

bool is_still_at(int descriptor, const std::string& path) {
  struct stat opened {
  }, named{};
  return ::fstat(descriptor, &opened) == 0 && ::stat(path.c_str(), &named) == 0 &&
         opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

MappedFile::MappedFile(const std::string& path) : path_(path) {
  const Descriptor descriptor(open_regular(path, size_));
  if (size_ == 0) {
    return;
  }
  void* mapped = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, descriptor.get(), 0);
  if (mapped == MAP_FAILED) {
    fail_reading(path, errno);
  }
  data_ = mapped;
  range_ = note_mapping(mapped, size_, path);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) {
    forget_mapping(range_);
    ::munmap(data_, size_);
  }
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      range_(std::exchange(other.range_, nullptr)),
      path_(std::move(other.path_)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(range_, other.range_);
  std::swap(path_, other.path_);
  return *this;
}

std::string read_text_file(const std::string& path, size_t max_bytes) {
  size_t size = 0;
  const Descriptor descriptor(open_regular(path, size));
  if (size > max_bytes) {
    throw InputError(Location{path}, "has " + human_bytes(size) + "; the limit is " + human_bytes(max_bytes));
  }
  std::string text(size, '\0');
  size_t done = 0;
  while (done < size) {
    const ssize_t count = ::read(descriptor.get(), text.data() + done, size - done);
    if (count < 0 && errno != EINTR) {
      fail_reading(path, errno);
    }
    if (count == 0) {
      throw InputError(Location{path}, "became shorter while it was read");
    }
    done += count > 0 ? static_cast<size_t>(count) : 0;
  }
  return text;
}

FileSink::FileSink(int descriptor, std::string path) : descriptor_(descriptor), path_(std::move(path)) {}

void FileSink::write(std::span<const std::byte> bytes) {
  write(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

void FileSink::write(std::string_view text) {
  size_ += text.size();
  if (buffer_.size() + text.size() > kBufferBytes) {
    flush();
  }
  if (text.size() > kBufferBytes) {
    write_fully(descriptor_, text.data(), text.size(), path_);
  } else {
    buffer_ += text;
  }
}

void FileSink::flush() {
  const std::string pending = std::exchange(buffer_, {});
  write_fully(descriptor_, pending.data(), pending.size(), path_);
}

AppendFile::AppendFile(const std::string& path)
    : path_(path), descriptor_(open_to_append(path)), sink_(descriptor_, path) {}

void AppendFile::sync() {
  sink_.flush();
  sync_descriptor(descriptor_, path_);
}

AppendFile::~AppendFile() {
  try {
    flush();
  } catch (const InputError&) {
    // Whoever must know calls flush().
  }
  ::close(descriptor_);
}

void make_folders(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) {
    fail_writing(path, error.value());
  }
}

void ensure_space(const std::string& folder, uint64_t bytes) {
  std::error_code ignored;
  fs::path place = fs::absolute(folder, ignored);
  while (!fs::exists(place, ignored) && place.has_relative_path()) {
    place = place.parent_path();
  }
  struct statvfs info {};
  if (::statvfs(place.c_str(), &info) != 0) {
    return;  // the write itself will tell
  }
  const uint64_t available = static_cast<uint64_t>(info.f_bavail) * info.f_frsize;
  if (available < bytes) {
    throw InputError(Location{folder},
                     "the disk is too full: " + human_bytes(bytes) + " are needed and " +
                         human_bytes(available) + " are free");
  }
}

std::string human_bytes(uint64_t bytes) {
  static constexpr std::array<const char*, 5> kUnits = {"KiB", "MiB", "GiB", "TiB", "PiB"};
  if (bytes < 1024) {
    return std::to_string(bytes) + " B";
  }
  double value = static_cast<double>(bytes) / 1024;
  size_t unit = 0;
  while (value >= 1024 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), value < 10 ? "%.2f %s" : "%.1f %s", value, kUnits[unit]);
  return text.data();
}

uint32_t crc32(std::span<const std::byte> bytes, uint32_t crc) {
  return static_cast<uint32_t>(::crc32_z(crc, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

uint32_t crc32_of_file(const std::string& path) { return crc32(MappedFile(path).bytes()); }

}  // namespace lmzoo
