// What appears whole or not at all, of files.h: temporaries, their owners, and what becomes of them.
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <tuple>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/descriptor.h"
#include "io/files.h"

namespace lmzoo {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kTemporaryMark = ".tmp-";
constexpr size_t kRandomDigits = 16;

std::string without_slash(std::string path) {
  while (path.size() > 1 && path.back() == '/') {
    path.pop_back();
  }
  return path;
}

std::string temporary_beside(const std::string& path) {
  uint64_t number = 0;
  if (::getrandom(&number, sizeof number, 0) != static_cast<ssize_t>(sizeof number)) {
    fail_writing(path, errno);
  }
  std::array<char, kRandomDigits + 1> digits{};
  std::snprintf(digits.data(), digits.size(), "%016llx", static_cast<unsigned long long>(number));
  const fs::path place(without_slash(path));
  return (place.parent_path() /
          ("." + place.filename().string() + std::string(kTemporaryMark) + digits.data()))
      .string();
}

bool is_temporary(const std::string& name) {
  const size_t mark = name.rfind(kTemporaryMark);
  const size_t digits = mark + kTemporaryMark.size();
  return name[0] == '.' && mark != std::string::npos && name.size() == digits + kRandomDigits &&
         name.find_first_not_of("0123456789abcdef", digits) == std::string::npos;
}

// Between making a temporary and owning it somebody may have taken it for a leftover: then another is made. Where there
// are no locks, nobody removes leftovers, either.
bool own(int descriptor, const std::string& path) {
  const bool taken = ::flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  return !taken && is_still_at(descriptor, path);
}

// An owned temporary: of the kind that `make` makes, which returns its descriptor, or -1.
template <class Make>
std::pair<std::string, int> make_temporary(const std::string& path, const Make& make) {
  constexpr int kAttempts = 100;
  for (int attempt = 1;; ++attempt) {
    std::string temporary = temporary_beside(path);
    const int descriptor = make(temporary);
    const bool may_be_removed = errno == EEXIST || errno == ENOENT;
    if (descriptor < 0 && (!may_be_removed || attempt == kAttempts)) {
      fail_writing(path, errno);
    }
    if (descriptor >= 0 && own(descriptor, temporary)) {
      return {std::move(temporary), descriptor};
    }
    if (descriptor >= 0) {
      ::close(descriptor);
    }
  }
}

void sync_below(const std::string& folder) {
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
    sync_path(entry.path().string());
  }
  sync_path(folder);
}

void remove_if_left(const std::string& path) {
  const Descriptor descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW));
  if (descriptor.get() >= 0 && ::flock(descriptor.get(), LOCK_EX | LOCK_NB) == 0 &&
      is_still_at(descriptor.get(), path)) {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
}

}  // namespace

void write_atomically(const std::string& path, std::string_view bytes) {
  write_atomically(path, [&](FileSink& sink) { sink.write(bytes); });
}

void write_atomically(const std::string& path, const std::function<void(FileSink&)>& write) {
  const std::string folder = parent_of(path);
  make_folders(folder);
  const auto [temporary, opened] = make_temporary(path, [](const std::string& name) {
    return ::open(name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  });
  const Descriptor descriptor(opened);
  try {
    FileSink sink(descriptor.get(), path);
    write(sink);
    sink.flush();
    sync_descriptor(descriptor.get(), path);
    if (::rename(temporary.c_str(), path.c_str()) != 0) {
      fail_writing(path, errno);
    }
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
  sync_path(folder);
}

StagedFolder::StagedFolder(std::string final_path) : final_(without_slash(std::move(final_path))) {
  make_folders(parent_of(final_));
  std::tie(path_, descriptor_) = make_temporary(final_, [](const std::string& name) {
    return ::mkdir(name.c_str(), 0777) == 0 ? ::open(name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
  });
}

StagedFolder::~StagedFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);  // after commit() there is nothing by this name
  ::close(descriptor_);
}

void StagedFolder::commit() {
  sync_below(path_);
  if (!fs::exists(final_)) {
    if (::rename(path_.c_str(), final_.c_str()) != 0) {
      fail_writing(final_, errno);
    }
  } else if (::renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, final_.c_str(), RENAME_EXCHANGE) == 0) {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  } else {
    std::error_code ignored;
    fs::remove_all(final_, ignored);
    if (::rename(path_.c_str(), final_.c_str()) != 0) {
      fail_writing(final_, errno);
    }
  }
  sync_path(parent_of(path_));
}

void remove_folder(const std::string& path) {
  const std::string temporary = temporary_beside(path);
  if (::rename(without_slash(path).c_str(), temporary.c_str()) != 0) {
    fail_writing(path, errno);
  }
  std::error_code error;
  fs::remove_all(temporary, error);
  if (error) {
    fail_writing(path, error.value());
  }
}

void remove_leftovers(const std::string& folder) {
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored)) {
    if (is_temporary(entry.path().filename().string())) {
      remove_if_left(entry.path().string());
    }
  }
}

}  // namespace lmzoo
