#include "io/byte_source.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include <zlib.h>

#include "io/files.h"

namespace lmzoo {
namespace {

constexpr size_t kChunkBytes = 256 << 10;

}  // namespace

struct ByteSource::State {
  std::string path;
  gzFile file = nullptr;
  uint64_t file_bytes = 0;
  std::vector<char> buffer = std::vector<char>(kChunkBytes);
  size_t begin = 0;  // of the unread part
  size_t end = 0;

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
  }

  // Reads more behind what is there; false at the end of the file.
  bool read_more(int64_t line) {
    const auto room = static_cast<unsigned>(std::min(buffer.size() - end, size_t{1} << 30));
    const int count = gzread(file, buffer.data() + end, room);
    int error = Z_OK;
    const char* message = gzerror(file, &error);
    if (error == Z_BUF_ERROR && count <= 0) {
      throw InputError(Location{path, line}, "the gzip file is truncated");
    }
    if (count < 0) {
      const bool damaged = error == Z_DATA_ERROR;
      throw InputError(Location{path, line},
                       damaged ? "the gzip file is damaged" : "cannot read: " + std::string(message));
    }
    end += static_cast<size_t>(count);
    return count > 0;
  }

  // Moves the unread part to the front, so that `wanted` bytes fit behind `begin`.
  void make_room(size_t wanted) {
    std::memmove(buffer.data(), buffer.data() + begin, end - begin);
    end -= begin;
    begin = 0;
    if (buffer.size() < wanted) {
      buffer.resize(std::max(wanted, 2 * buffer.size()));
    }
  }
};

ByteSource::ByteSource(const std::string& path) : state_(std::make_unique<State>()) {
  state_->path = path;
  state_->open();
}

ByteSource::~ByteSource() = default;
ByteSource::ByteSource(ByteSource&&) noexcept = default;
ByteSource& ByteSource::operator=(ByteSource&&) noexcept = default;

std::string_view ByteSource::peek(size_t wanted, int64_t line) {
  State& state = *state_;
  if (state.end - state.begin < wanted) {
    state.make_room(wanted);
    while (state.end < wanted && state.read_more(line)) {
    }
  }
  return {state.buffer.data() + state.begin, state.end - state.begin};
}

void ByteSource::skip(size_t count) { state_->begin += count; }

const std::string& ByteSource::path() const { return state_->path; }
bool ByteSource::compressed() const { return gzdirect(state_->file) == 0; }
uint64_t ByteSource::file_bytes() const { return state_->file_bytes; }
uint64_t ByteSource::bytes_read() const {
  const z_off_t offset = gzoffset(state_->file);
  return offset > 0 ? static_cast<uint64_t>(offset) : 0;
}

}  // namespace lmzoo
