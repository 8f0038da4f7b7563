#include "io/word_vectors.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "base/check.h"
#include "base/utf8.h"
#include "io/byte_source.h"
#include "io/files.h"

namespace lmzoo {
namespace {

static_assert(std::endian::native == std::endian::little, "binary vectors are copied as they are");

constexpr int64_t kMaxWidth = 1'000'000;
constexpr size_t kMaxWordBytes = 64 << 10;
constexpr size_t kMaxNumberBytes = 64;
constexpr int64_t kMostSkipped = 100;  // more is no slip but another format
constexpr std::string_view kBlank = " \t\r";

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(kBlank);
  return first == std::string_view::npos ? std::string_view{}
                                         : text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

// Takes the last blank-separated field off `text`.
std::string_view take_last(std::string_view& text) {
  const size_t before = text.find_last_of(kBlank);
  const std::string_view field = before == std::string_view::npos ? text : text.substr(before + 1);
  text = before == std::string_view::npos ? std::string_view{} : text.substr(0, before);
  const size_t end = text.find_last_not_of(kBlank);
  text = end == std::string_view::npos ? std::string_view{} : text.substr(0, end + 1);
  return field;
}

// The number at the start of `text`, and where it ends; null when there is none. Too small is 0, too large
// inf.
const char* parse_number(std::string_view text, float& value) {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
  }
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc::result_out_of_range) {
    value = std::strtof(std::string(text.data(), stop).c_str(), nullptr);
    return stop;
  }
  return error == std::errc{} ? stop : nullptr;
}

bool is_number(std::string_view field, float& value) {
  return !field.empty() && parse_number(field, value) == field.data() + field.size();
}

std::optional<int64_t> parse_count(std::string_view field) {
  int64_t value = 0;
  const auto [stop, error] = std::from_chars(field.data(), field.data() + field.size(), value);
  const bool digits = !field.empty() && field[0] >= '0' && field[0] <= '9';
  return digits && error == std::errc{} && stop == field.data() + field.size() ? std::optional(value)
                                                                               : std::nullopt;
}

struct VectorHeader {
  int64_t rows = 0;
  int64_t width = 0;
};

// "V D"; nothing when the line is something else.
std::optional<VectorHeader> parse_header(std::string_view line) {
  std::string_view rest = trimmed(line);
  const std::optional<int64_t> width = parse_count(take_last(rest));
  const std::optional<int64_t> rows = parse_count(rest);
  return width && rows ? std::optional(VectorHeader{*rows, *width}) : std::nullopt;
}

// How many numbers end the line, at most all fields but the first: the width of a file without a first line.
int64_t trailing_numbers(std::string_view line) {
  std::string_view rest = trimmed(line);
  int64_t count = 0;
  float value = 0;
  while (!rest.empty() && is_number(take_last(rest), value) && !rest.empty()) {
    ++count;
  }
  return count;
}

}  // namespace

struct WordVectorReader::State {
  ByteSource source;
  VectorFormat format = VectorFormat::text;
  std::optional<int64_t> rows{};
  int64_t width = 0;
  int64_t line = 1;  // of the next text line
  int64_t done = 0;
  int64_t replaced = 0;
  int64_t skipped = 0;
  std::string first_skipped{};  // what was wrong with it, and where

  [[noreturn]] void fail(const std::string& message) const {
    const bool text = format == VectorFormat::text;
    const std::string row =
        text || done == 0 ? "" : "vector " + std::to_string(done + 1) + " of " + std::to_string(*rows) + ": ";
    throw InputError(Location{source.path(), text ? line : 0}, row + message);
  }

  size_t line_limit() const {
    return kMaxWordBytes + kMaxNumberBytes * static_cast<size_t>(width > 0 ? width : kMaxWidth / 64);
  }

  // Everything up to `end`, which stays; or all that is left when it does not come within `limit` bytes.
  // Valid until the next look at the source.
  std::string_view peek_until(char end, size_t limit) {
    size_t searched = 0;
    for (size_t wanted = 4096;; wanted = std::min(2 * wanted, limit + 1)) {
      const std::string_view held = source.peek(wanted, line);
      const size_t found = held.find(end, searched);
      if (found != std::string_view::npos || held.size() < wanted || wanted > limit) {
        return held.substr(0, found);
      }
      searched = held.size();
    }
  }

  void open(std::optional<VectorFormat> wanted) {
    const std::string_view mark = "\xEF\xBB\xBF";
    if (source.peek(mark.size()).starts_with(mark)) {
      source.skip(mark.size());
    }
    const std::string_view first = peek_until('\n', line_limit());
    if (first.size() > line_limit()) {
      fail("the first line is longer than " + human_bytes(line_limit()) +
           ": this is no file of word vectors");
    }
    const std::optional<VectorHeader> header = parse_header(first);
    if (header) {
      rows = header->rows;
      width = header->width;
      source.skip(std::min(first.size() + 1, source.peek(first.size() + 1).size()));
      ++line;
    } else {
      width = trailing_numbers(first);
    }
    check_sizes(first, header.has_value());
    format = wanted.value_or(looks_like_text() ? VectorFormat::text : VectorFormat::binary);
    if (format == VectorFormat::binary && !rows) {
      fail("a binary file must begin with a line 'ROWS WIDTH'");
    }
    check_file_size();
  }

  void check_sizes(std::string_view first, bool has_header) const {
    if (!has_header && width == 0) {
      fail("begins neither with 'ROWS WIDTH' nor with a word and its numbers, but with '" + printable(first) +
           "'");
    }
    if (has_header && *rows == 0) {
      fail("holds no vectors (the first line says 0 rows)");
    }
    if (width < 1 || width > kMaxWidth) {
      fail("the first line says vectors of width " + std::to_string(width) + ", but legal are 1 to " +
           std::to_string(kMaxWidth));
    }
  }

  // Whether the next line is a whole row of text. Bytes of float32 are almost never digits throughout.
  bool looks_like_text() {
    if (!rows) {
      return true;
    }
    std::string_view rest = trimmed(peek_until('\n', line_limit()));
    float value = 0;
    for (int64_t i = 0; i < width; ++i) {
      const std::string_view field = take_last(rest);
      if (!is_number(field, value)) {
        // A broken text file should be refused as text: nothing but printable characters is no binary row.
        const std::string_view whole = peek_until('\n', line_limit());
        return whole.find_first_of(std::string_view("\0\1\2\3\4\5\6\7\10", 9)) == std::string_view::npos &&
               is_utf8(whole);
      }
    }
    return true;
  }

  uint64_t least_row_bytes() const {
    const auto values = static_cast<uint64_t>(width);
    return format == VectorFormat::text ? 2 * values + 1 : 4 * values + 2;
  }

  // A size that the file cannot have is refused before memory is taken for it.
  void check_file_size() const {
    if (!rows || source.compressed()) {
      return;
    }
    const uint64_t possible = source.file_bytes() / least_row_bytes() + 1;
    if (static_cast<uint64_t>(*rows) > possible) {
      throw InputError(Location{source.path()},
                       "the first line says " + std::to_string(*rows) + " vectors of width " +
                           std::to_string(width) + ", but the file of " + human_bytes(source.file_bytes()) +
                           " ends before: it is truncated or no file of word vectors");
    }
  }

  // Leaves `word` empty when the row is to be skipped.
  void take_word(std::string_view bytes, std::string& word) {
    word.clear();
    if (bytes.empty() || bytes.find('\t') != std::string_view::npos) {
      skip_row(bytes.empty() ? "an empty word" : "a word with a tab, '" + printable(bytes) + "'");
      return;
    }
    if (bytes.size() > kMaxWordBytes) {
      fail("a word is longer than " + human_bytes(kMaxWordBytes));
    }
    word.assign(bytes);
    replaced += replace_invalid_utf8(word);
  }

  void skip_row(const std::string& fault) {
    if (skipped == 0) {
      try {
        fail(fault);
      } catch (const InputError& error) {
        first_skipped = error.what();
      }
    }
    if (++skipped > kMostSkipped) {
      fail(fmt::format("{}, and {} rows before were skipped already", fault, kMostSkipped));
    }
  }

  void check_finite(std::span<const float> vector, const std::string& word) const {
    for (size_t i = 0; i < vector.size(); ++i) {
      if (!std::isfinite(vector[i])) {
        fail("value " + std::to_string(i + 1) + " of '" + printable(word) + "' is not finite");
      }
    }
  }

  // False after the last row; what follows it is no row.
  bool more(std::string_view blank) {
    if (rows && done == *rows) {
      std::string_view rest = source.peek(1, line);
      while (!rest.empty() && blank.find(rest[0]) != std::string_view::npos) {
        source.skip(1);
        rest = source.peek(1, line);
      }
      if (!rest.empty()) {
        throw InputError(Location{source.path(), format == VectorFormat::text ? line : 0},
                         "the first line says " + std::to_string(*rows) + " vectors, but more follow");
      }
      return false;
    }
    return true;
  }

  void next_binary(std::string& word, std::span<float> vector) {
    while (source.peek(1).starts_with('\n')) {
      source.skip(1);
    }
    const std::string_view name = peek_until(' ', kMaxWordBytes);
    const size_t start = name.size() + 1;
    const size_t row_bytes = start + vector.size_bytes();
    if (source.peek(1).empty() ||
        (name.size() <= kMaxWordBytes && source.peek(row_bytes).size() < row_bytes)) {
      throw InputError(
          Location{source.path()},
          "the file ends within vector " + std::to_string(done + 1) + " of " + std::to_string(*rows));
    }
    const std::string_view row = source.peek(row_bytes);
    take_word(row.substr(0, start - 1), word);
    std::memcpy(vector.data(), row.data() + start, vector.size_bytes());
    source.skip(row_bytes);
    check_finite(vector, word);
  }

  bool next_text(std::string& word, std::span<float> vector) {
    const std::string_view row = peek_until('\n', line_limit());
    if (row.size() > line_limit()) {
      fail("the line is longer than " + human_bytes(line_limit()));
    }
    if (row.empty() && source.peek(1, line).empty()) {
      if (rows) {
        throw InputError(Location{source.path()},
                         "the first line says " + std::to_string(*rows) +
                             " vectors, but the file ends after " + std::to_string(done));
      }
      return false;
    }
    const size_t taken = row.size();
    parse_row(row, word, vector);
    check_finite(vector, word);
    source.skip(std::min(taken + 1, source.peek(taken + 1, line).size()));
    ++line;
    return true;
  }

  void parse_row(std::string_view row, std::string& word, std::span<float> vector) {
    const size_t name = row.find_first_of(kBlank);
    const char* at = row.data() + std::min(name, row.size());
    const char* const end = row.data() + row.size();
    const auto skip_blank = [&] {
      while (at != end && kBlank.find(*at) != std::string_view::npos) {
        ++at;
      }
    };
    for (float& value : vector) {
      skip_blank();
      at = at != end ? parse_number({at, static_cast<size_t>(end - at)}, value) : nullptr;
      if (at == nullptr || (at != end && kBlank.find(*at) == std::string_view::npos)) {
        return parse_spaced_row(row, word, vector);
      }
    }
    skip_blank();
    if (at != end) {
      return parse_spaced_row(row, word, vector);
    }
    take_word(row.substr(0, name), word);
  }

  // The same for a word with spaces in it, and the place where a bad row is refused.
  void parse_spaced_row(std::string_view row, std::string& word, std::span<float> vector) {
    std::string_view rest = row.substr(0, row.find_last_not_of(kBlank) + 1);
    for (size_t i = vector.size(); i-- > 0;) {
      const std::string_view field = take_last(rest);
      if (rest.empty()) {
        fail("expected a word and " + std::to_string(vector.size()) + " numbers, but the line has " +
             std::to_string(vector.size() - i) + " fields");
      }
      if (!is_number(field, vector[i])) {
        fail("expected a word and " + std::to_string(vector.size()) + " numbers, but number " +
             std::to_string(i + 1) + " is '" + printable(field, 40) + "'");
      }
    }
    std::string_view before = rest;
    float unused = 0;
    if (rest.find_first_of(kBlank) != std::string_view::npos && is_number(take_last(before), unused)) {
      fail("has more than " + std::to_string(vector.size()) + " numbers");
    }
    take_word(rest, word);
  }
};

WordVectorReader::WordVectorReader(const std::string& path, std::optional<VectorFormat> format)
    : state_(new State{.source = ByteSource(path)}) {
  state_->open(format);
}
WordVectorReader::~WordVectorReader() = default;
WordVectorReader::WordVectorReader(WordVectorReader&&) noexcept = default;
WordVectorReader& WordVectorReader::operator=(WordVectorReader&&) noexcept = default;

VectorFormat WordVectorReader::format() const { return state_->format; }
int64_t WordVectorReader::width() const { return state_->width; }
std::optional<int64_t> WordVectorReader::rows() const { return state_->rows; }
int64_t WordVectorReader::replaced() const { return state_->replaced; }
int64_t WordVectorReader::skipped() const { return state_->skipped; }
const std::string& WordVectorReader::first_skipped() const { return state_->first_skipped; }
uint64_t WordVectorReader::bytes_read() const { return state_->source.bytes_read(); }
uint64_t WordVectorReader::file_bytes() const { return state_->source.file_bytes(); }
uint64_t WordVectorReader::least_row_bytes() const { return state_->least_row_bytes(); }
bool WordVectorReader::compressed() const { return state_->source.compressed(); }

bool WordVectorReader::next(std::string& word, std::span<float> vector) {
  State& state = *state_;
  const bool text = state.format == VectorFormat::text;
  do {
    const bool more = state.more(text ? std::string_view(" \t\r\n") : std::string_view("\r\n"));
    if (!more || (text && !state.next_text(word, vector))) {
      if (state.skipped > 0 && state.skipped == state.done) {
        throw InputError(state.first_skipped);  // nothing is left
      }
      return false;
    }
    if (!text) {
      state.next_binary(word, vector);
    }
    ++state.done;
  } while (word.empty());
  return true;
}

}  // namespace lmzoo
