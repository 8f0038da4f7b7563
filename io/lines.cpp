#include "io/lines.h"

#include <cstring>

#include <fmt/format.h>

#include "io/byte_source.h"
#include "io/files.h"
#include "io/foreign_format.h"

namespace lmzoo {

struct LineReader::State {
  ByteSource source;
  LineOptions options;
  int64_t line = 0;

  // Takes the rest of the current line from what the source holds; true when its end was there.
  bool take(std::string& text) {
    const std::string_view held = source.peek(1, line + 1);
    const auto* newline = static_cast<const char*>(std::memchr(held.data(), '\n', held.size()));
    const size_t count = newline != nullptr ? static_cast<size_t>(newline - held.data()) : held.size();
    if (text.size() + count > options.max_line_bytes) {
      throw InputError(Location{source.path(), line + 1},
                       "the line is longer than the limit of " + human_bytes(options.max_line_bytes));
    }
    text.append(held.data(), count);
    source.skip(count + (newline != nullptr ? 1 : 0));
    return newline != nullptr;
  }
};

LineReader::LineReader(const std::string& path, const LineOptions& options)
    : state_(new State{.source = ByteSource(path), .options = options}) {
  if (const auto foreign = foreign_format(state_->source.peek(kFormatBytes, 1).substr(0, kFormatBytes))) {
    throw InputError(Location{path}, fmt::format("is {}; text is read in UTF-8, plain or gzip", *foreign));
  }
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  if (state_->source.peek(kMark.size(), 1).starts_with(kMark)) {
    state_->source.skip(kMark.size());
  }
}

LineReader::~LineReader() = default;
LineReader::LineReader(LineReader&&) noexcept = default;
LineReader& LineReader::operator=(LineReader&&) noexcept = default;

bool LineReader::next(std::string& line) {
  line.clear();
  State& state = *state_;
  const auto at_end = [&] { return state.source.peek(1, state.line + 1).empty(); };
  if (at_end()) {
    return false;
  }
  while (!state.take(line) && !at_end()) {
  }
  ++state.line;
  if (line.ends_with('\r')) {
    line.pop_back();
  }
  return true;
}

Location LineReader::where() const { return {state_->source.path(), state_->line}; }
uint64_t LineReader::file_bytes() const { return state_->source.file_bytes(); }
uint64_t LineReader::bytes_read() const { return state_->source.bytes_read(); }

}  // namespace lmzoo
