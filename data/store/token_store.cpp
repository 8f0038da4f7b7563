#include "data/store/token_store.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <string_view>

#include "base/check.h"
#include "data/store/sample_notes.h"

namespace lmzoo {
namespace {

static_assert(std::endian::native == std::endian::little, "the format is little-endian and mapped as it is");

constexpr uint32_t kVersion = 2;
constexpr std::string_view kMagic = "LMZOOIDS";
constexpr std::string_view kEndMagic = "LMZOOEND";

struct Header {
  char magic[8];
  uint32_t version;
  uint32_t id_bytes;
  uint64_t vocab_size;
};
static_assert(sizeof(Header) == 24);

struct Trailer {
  uint64_t documents;
  uint64_t tokens;
  uint64_t classes;
  uint64_t class_bytes;
  uint64_t notes;
  uint64_t text_bytes;
  uint64_t has_columns;
  uint32_t crc;
  uint32_t zero;
  char magic[8];
};
static_assert(sizeof(Trailer) == 72);

constexpr uint64_t padded(uint64_t bytes) { return (bytes + 7) / 8 * 8; }

bool is(const char (&magic)[8], std::string_view expected) {
  return std::string_view(magic, sizeof magic) == expected;
}

// Takes sections of a file one after the other and refuses to go beyond its end.
class Sections {
 public:
  Sections(const MappedFile& file, size_t begin, size_t end)
      : file_(file), rest_(file.bytes().subspan(begin, end - begin)) {}

  template <class T>
  std::span<const T> take(uint64_t count) {
    check(count <= rest_.size() / sizeof(T),
          "{}: not a whole token store: its tables do not fit in its {} bytes",
          file_.path(),
          file_.bytes().size());
    const auto* data = reinterpret_cast<const T*>(rest_.data());
    rest_ = rest_.subspan(count * sizeof(T));
    return {data, count};
  }
  uint64_t left() const { return rest_.size(); }

 private:
  const MappedFile& file_;
  std::span<const std::byte> rest_;
};

std::vector<std::string> parse_classes(Sections& sections, uint64_t count) {
  std::vector<std::string> classes;
  for (uint64_t i = 0; i < count; ++i) {
    uint32_t length = 0;
    std::memcpy(&length, sections.take<char>(sizeof length).data(), sizeof length);
    const std::span<const char> name = sections.take<char>(length);
    classes.emplace_back(name.data(), name.size());
  }
  return classes;
}

template <class T>
T read_struct(std::span<const std::byte> bytes) {
  T value;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

// Header and trailer of a file whose checksum is right.
std::pair<Header, Trailer> read_ends(const MappedFile& file) {
  const std::span<const std::byte> bytes = file.bytes();
  const std::string& path = file.path();
  check(bytes.size() >= sizeof(Header) + sizeof(Trailer),
        "{}: not a whole token store: it has only {} bytes",
        path,
        bytes.size());
  const auto header = read_struct<Header>(bytes);
  const auto trailer = read_struct<Trailer>(bytes.last(sizeof(Trailer)));
  check(is(header.magic, kMagic), "{}: not a token store: it does not begin with {}", path, kMagic);
  check(header.version == kVersion,
        "{}: token store of version {}, but this lmzoo reads version {}",
        path,
        header.version,
        kVersion);
  check(is(trailer.magic, kEndMagic) && trailer.zero == 0,
        "{}: token store is truncated: it does not end with {}",
        path,
        kEndMagic);
  const uint32_t crc = crc32(bytes.first(bytes.size() - sizeof(Trailer) + offsetof(Trailer, crc)));
  check(crc == trailer.crc, "{}: token store is corrupt: its checksum is wrong", path);
  check(header.id_bytes == 2 || header.id_bytes == 4,
        "{}: token store has ids of {} bytes, but only 2 and 4 are legal",
        path,
        header.id_bytes);
  return {header, trailer};
}

template <class T>
void widen(const std::byte* from, int64_t count, std::vector<int64_t>& ids) {
  const auto* first = reinterpret_cast<const T*>(from);
  ids.insert(ids.end(), first, first + count);
}

template <class T>
void narrow(std::span<const int64_t> ids, std::vector<std::byte>& bytes) {
  bytes.resize(ids.size() * sizeof(T));
  auto* out = reinterpret_cast<T*>(bytes.data());
  std::transform(ids.begin(), ids.end(), out, [](int64_t id) { return static_cast<T>(id); });
}

}  // namespace

TokenStore::TokenStore(const std::string& path) : file_(path) {
  const auto [header, trailer] = read_ends(file_);
  id_bytes_ = header.id_bytes;
  vocab_size_ = static_cast<int64_t>(header.vocab_size);
  documents_ = static_cast<int64_t>(trailer.documents);
  tokens_ = static_cast<int64_t>(trailer.tokens);

  // Counts over the file's size are refused before any sum of them can wrap around.
  const uint64_t size = file_.bytes().size();
  check(trailer.tokens < size && trailer.documents < size && trailer.class_bytes < size &&
            trailer.notes < size && trailer.text_bytes < size,
        "{}: token store is corrupt: its counts are larger than the file",
        path);
  Sections sections(file_, sizeof(Header), size - sizeof(Trailer));
  ids_ = sections.take<std::byte>(padded(trailer.tokens * header.id_bytes));
  starts_ = sections.take<uint64_t>(trailer.documents + 1);
  if (trailer.has_columns != 0) {
    note_starts_ = sections.take<uint64_t>(trailer.documents + 1);
    text_starts_ = sections.take<uint64_t>(trailer.documents + 1);
  }
  text_bytes_ = sections.take<uint32_t>(trailer.documents);
  if (trailer.classes > 0) {
    labels_ = sections.take<int32_t>(trailer.documents);
  }
  notes_ = sections.take<int32_t>(trailer.notes);
  const std::span<const char> texts = sections.take<char>(trailer.text_bytes);
  texts_ = {texts.data(), texts.size()};
  check(sections.left() == trailer.class_bytes, "{}: token store is corrupt: its sizes disagree", path);
  classes_ = parse_classes(sections, trailer.classes);
  const auto covers = [](std::span<const uint64_t> starts, uint64_t total) {
    return starts.front() == 0 && starts.back() == total && std::is_sorted(starts.begin(), starts.end());
  };
  check(covers(starts_, trailer.tokens) && (!has_columns() || (covers(note_starts_, trailer.notes) &&
                                                               covers(text_starts_, trailer.text_bytes))),
        "{}: token store is corrupt: its documents overlap",
        path);
  for (const uint32_t bytes : text_bytes_) {
    total_text_bytes_ += bytes;
  }
}

void TokenStore::append(int64_t first, int64_t count, std::vector<int64_t>& ids) const {
  const std::byte* from = ids_.data() + first * id_bytes_;
  id_bytes_ == 2 ? widen<uint16_t>(from, count, ids) : widen<uint32_t>(from, count, ids);
}

std::vector<int64_t> TokenStore::document(int64_t index) const {
  std::vector<int64_t> ids;
  append(static_cast<int64_t>(starts_[index]), length(index), ids);
  return ids;
}

Sample TokenStore::sample(int64_t document) const {
  Sample sample;
  if (has_columns()) {
    const auto part = [&](const auto& all, std::span<const uint64_t> starts) {
      return all.subspan(starts[document], starts[document + 1] - starts[document]);
    };
    const std::span<const char> text = part(std::span(texts_), text_starts_);
    sample = read_notes(this->document(document), part(notes_, note_starts_), {text.data(), text.size()});
  } else {
    sample.ids = this->document(document);
  }
  sample.label = sample.choices.empty() ? label(document) : sample.label;
  return sample;
}

TokenStoreWriter::TokenStoreWriter(FileSink& sink, int64_t vocab_size)
    : sink_(sink), vocab_size_(vocab_size), id_bytes_(vocab_size <= int64_t{1} << 16 ? 2 : 4) {
  Header header{{}, kVersion, static_cast<uint32_t>(id_bytes_), static_cast<uint64_t>(vocab_size)};
  std::copy(kMagic.begin(), kMagic.end(), header.magic);
  write(std::as_bytes(std::span(&header, 1)));
}

void TokenStoreWriter::write(std::span<const std::byte> bytes) {
  if (bytes.empty()) {
    return;  // a null pointer would start zlib's checksum again
  }
  crc_ = crc32(bytes, crc_);
  sink_.write(bytes);
}

void TokenStoreWriter::add(const StoredDocument& document) {
  std::vector<int64_t> ids = document.ids;
  if (document.columns) {
    append_notes(document.ids, *document.columns, notes_);
    append_further_ids(*document.columns, ids);
    if (note_starts_.empty()) {
      note_starts_ = text_starts_ = {0};
    }
    texts_ += document.columns->passage ? document.columns->passage->text : "";
    note_starts_.push_back(notes_.size());
    text_starts_.push_back(texts_.size());
  }
  for (const int64_t id : ids) {
    if (id < 0 || id >= vocab_size_) {
      throw std::logic_error(fmt::format("token id {} is outside the vocabulary of {}", id, vocab_size_));
    }
  }
  id_bytes_ == 2 ? narrow<uint16_t>(ids, encoded_) : narrow<uint32_t>(ids, encoded_);
  write(encoded_);
  starts_.push_back(starts_.back() + ids.size());
  text_bytes_.push_back(static_cast<uint32_t>(document.text_bytes));
  labels_.push_back(static_cast<int32_t>(document.label));
}

void TokenStoreWriter::finish(const std::vector<std::string>& classes, std::span<const int32_t> relabel) {
  const std::vector<std::byte> zeros(padded(starts_.back() * id_bytes_) - starts_.back() * id_bytes_);
  write(zeros);
  write(std::as_bytes(std::span(starts_)));
  write(std::as_bytes(std::span(note_starts_)));
  write(std::as_bytes(std::span(text_starts_)));
  write(std::as_bytes(std::span(text_bytes_)));
  if (!classes.empty()) {
    if (!relabel.empty()) {
      for (int32_t& label : labels_) {
        label = relabel[label];
      }
    }
    write(std::as_bytes(std::span(labels_)));
  }
  write(std::as_bytes(std::span(notes_)));
  write(as_bytes(texts_));
  Trailer trailer{};
  trailer.documents = text_bytes_.size();
  trailer.tokens = starts_.back();
  trailer.classes = classes.size();
  trailer.notes = notes_.size();
  trailer.text_bytes = texts_.size();
  trailer.has_columns = note_starts_.empty() ? 0 : 1;
  for (const std::string& name : classes) {
    const auto length = static_cast<uint32_t>(name.size());
    write(std::as_bytes(std::span(&length, 1)));
    write(as_bytes(name));
    trailer.class_bytes += sizeof length + name.size();
  }
  std::copy(kEndMagic.begin(), kEndMagic.end(), trailer.magic);
  trailer.crc = crc32(std::as_bytes(std::span(&trailer, 1)).first(offsetof(Trailer, crc)), crc_);
  sink_.write(std::as_bytes(std::span(&trailer, 1)));
}

}  // namespace lmzoo
