#include "io/lines.h"

#include <cstring>
#include <vector>

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "io/files.h"

namespace lmzoo {
namespace {

constexpr size_t kChunkBytes = 256 << 10;

}  // namespace

struct LineReader::State {
  std::string path;
  LineOptions options;
  gzFile file = nullptr;
  uint64_t file_bytes = 0;
  std::vector<char> chunk = std::vector<char>(kChunkBytes);
  size_t begin = 0;  // of the unread part of the chunk
  size_t end = 0;
  int64_t line = 0;

  ~State() {
    if (file != nullptr) {
      gzclose_r(file);
    }
  }

  void open() {
    file_bytes = MappedFile(path).bytes().size();  // refuses what is not a readable regular file
    file = gzopen(path.c_str(), "rb");
    if (file == nullptr) {
      throw InputError(Location{path}, "cannot read: out of memory");
    }
    gzbuffer(file, kChunkBytes);
    if (path.ends_with(".gz") && gzdirect(file) != 0) {
      throw InputError(Location{path}, "is named .gz but is not gzip data");
    }
    refill();
    if (end >= 3 && std::memcmp(chunk.data(), "\xEF\xBB\xBF", 3) == 0) {
      begin = 3;
    }
  }

  // Reads the next chunk; false at the end of the file.
  bool refill() {
    const int count = gzread(file, chunk.data(), static_cast<unsigned>(chunk.size()));
    int error = Z_OK;
    const char* message = gzerror(file, &error);
    if (error == Z_BUF_ERROR && count <= 0) {
      throw InputError(Location{path, line + 1}, "the gzip file is truncated");
    }
    if (count < 0) {
      const bool damaged = error == Z_DATA_ERROR;
      throw InputError(Location{path, line + 1},
                       damaged ? "the gzip file is damaged" : "cannot read: " + std::string(message));
    }
    begin = 0;
    end = static_cast<size_t>(count);
    return count > 0;
  }

  // Takes the rest of the current line from the chunk; true when its end was there.
  bool take(std::string& text) {
    const char* start = chunk.data() + begin;
    const auto* newline = static_cast<const char*>(std::memchr(start, '\n', end - begin));
    const size_t count = newline != nullptr ? static_cast<size_t>(newline - start) : end - begin;
    if (text.size() + count > options.max_line_bytes) {
      throw InputError(Location{path, line + 1},
                       "the line is longer than the limit of " + human_bytes(options.max_line_bytes));
    }
    text.append(start, count);
    begin += count + (newline != nullptr ? 1 : 0);
    return newline != nullptr;
  }
};

LineReader::LineReader(const std::string& path, const LineOptions& options)
    : state_(std::make_unique<State>()) {
  state_->path = path;
  state_->options = options;
  state_->open();
}

LineReader::~LineReader() = default;
LineReader::LineReader(LineReader&&) noexcept = default;
LineReader& LineReader::operator=(LineReader&&) noexcept = default;

bool LineReader::next(std::string& line) {
  line.clear();
  State& state = *state_;
  if (state.begin == state.end && !state.refill()) {
    return false;
  }
  while (!state.take(line) && state.refill()) {
  }
  ++state.line;
  if (line.ends_with('\r')) {
    line.pop_back();
  }
  return true;
}

Location LineReader::where() const { return {state_->path, state_->line}; }
uint64_t LineReader::file_bytes() const { return state_->file_bytes; }
uint64_t LineReader::bytes_read() const {
  const z_off_t offset = gzoffset(state_->file);
  return offset > 0 ? static_cast<uint64_t>(offset) : 0;
}

}  // namespace lmzoo
