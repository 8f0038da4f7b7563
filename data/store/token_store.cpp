#include "data/store/token_store.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <numeric>
#include <stdexcept>
#include <string_view>

#include "base/check.h"
#include "data/store/sample_notes.h"
#include "data/store/token_store_format.h"
#include "io/content_hash.h"

namespace lmzoo {
namespace {

using namespace token_store_format;

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

// Header and trailer of a file, whose checksum is right.
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
  const auto middle = bytes.subspan(0, bytes.size() - sizeof(Trailer));
  const uint64_t tail = trailer.class_bytes + trailer.sum_bytes;
  const bool fits =
      trailer.class_bytes < middle.size() && trailer.sum_bytes < middle.size() && tail <= middle.size();
  check(fits && crc_of_ends(header, middle.last(fits ? tail : 0), trailer) == trailer.ends_crc,
        "{}: token store is corrupt: the checksum of its ends is wrong",
        path);
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

}  // namespace

TokenStore::TokenStore(const std::string& path) : file_(path) {
  const auto [header, trailer] = read_ends(file_);
  id_bytes_ = header.id_bytes;
  vocab_size_ = static_cast<int64_t>(header.vocab_size);
  documents_ = static_cast<int64_t>(trailer.documents);
  tokens_ = static_cast<int64_t>(trailer.tokens);
  total_text_bytes_ = static_cast<int64_t>(trailer.text_bytes);
  read_notes_ = {.blank = static_cast<int64_t>(trailer.blank),
                 .invalid_bytes = static_cast<int64_t>(trailer.invalid_bytes),
                 .quoted = static_cast<int64_t>(trailer.quoted),
                 .unknown = static_cast<int64_t>(trailer.unknown),
                 .words = static_cast<int64_t>(trailer.words)};

  // Counts over the file's size are refused before any sum of them can wrap around.
  const uint64_t size = file_.bytes().size();
  check(trailer.tokens < size && trailer.documents < size && trailer.class_bytes < size &&
            trailer.notes < size && trailer.passage_bytes < size,
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
  const std::span<const char> texts = sections.take<char>(trailer.passage_bytes);
  texts_ = {texts.data(), texts.size()};
  const uint64_t summed = size - sizeof(Trailer) - trailer.sum_bytes;
  check(sections.left() == trailer.class_bytes + trailer.sum_bytes &&
            trailer.sum_bytes == (summed + kBlock - 1) / kBlock * sizeof(uint32_t),
        "{}: token store is corrupt: its sizes disagree",
        path);
  classes_ = parse_classes(sections, trailer.classes);
  check(sections.left() == trailer.sum_bytes, "{}: token store is corrupt: its classes do not fit", path);
  sums_.resize(trailer.sum_bytes / sizeof(uint32_t));
  std::memcpy(sums_.data(), sections.take<char>(trailer.sum_bytes).data(), trailer.sum_bytes);
  trusted_ = std::make_unique<std::atomic<bool>[]>(sums_.size());
}

std::string TokenStore::fingerprint() const {
  ContentHash hash;
  hash.add(vocab_size_).add(documents_).add(tokens_).add(total_text_bytes_);
  for (const std::string& name : classes_) {
    hash.add(name);
  }
  const std::span<const std::byte> sums = std::as_bytes(std::span(sums_));
  return hash.add({reinterpret_cast<const char*>(sums.data()), sums.size()}).hex();
}

void TokenStore::verify() const {
  const std::span<const std::byte> summed = summed_bytes();
  trust(summed.data(), summed.size());
}

std::span<const std::byte> TokenStore::summed_bytes() const {
  return file_.bytes().first(file_.bytes().size() - sizeof(Trailer) - sums_.size() * sizeof(uint32_t));
}

void TokenStore::trust(const void* begin, size_t bytes) const {
  if (bytes == 0) {
    return;
  }
  const std::span<const std::byte> summed = summed_bytes();
  const size_t first = static_cast<size_t>(static_cast<const std::byte*>(begin) - summed.data());
  for (size_t block = first / kBlock; block <= (first + bytes - 1) / kBlock; ++block) {
    if (trusted_[block].load(std::memory_order_relaxed)) {
      continue;
    }
    const size_t at = block * kBlock;
    if (crc32(summed.subspan(at, std::min(kBlock, summed.size() - at))) != sums_[block]) {
      damaged(fmt::format("the checksum of its bytes from {} on is wrong", at));
    }
    trusted_[block].store(true, std::memory_order_relaxed);
  }
}

void TokenStore::damaged(const std::string& what) const {
  throw InputError(
      fmt::format("{}: token store is damaged: {}; delete it, and it is made again", path(), what));
}

std::pair<uint64_t, uint64_t> TokenStore::range(std::span<const uint64_t> table,
                                                int64_t document,
                                                uint64_t total) const {
  const auto at = static_cast<size_t>(document);
  if (document < 0 || document >= documents_) {
    damaged(fmt::format("it has no document {}", document));
  }
  trust(&table[at], 2 * sizeof(uint64_t));
  if (table[at] > table[at + 1] || table[at + 1] > total) {
    damaged(fmt::format("document {} is not within it", document));
  }
  return {table[at], table[at + 1]};
}

int64_t TokenStore::document_at(int64_t at) const {
  const auto after = std::upper_bound(starts_.begin(), starts_.end() - 1, static_cast<uint64_t>(at));
  const int64_t document = after - starts_.begin() - 1;
  const auto [first, last] = range(document);
  if (static_cast<uint64_t>(at) < first || static_cast<uint64_t>(at) >= last) {
    damaged(fmt::format("id {} belongs to no document", at));
  }
  return document;
}

int64_t TokenStore::text_bytes(int64_t document) const {
  range(document);
  const uint32_t& bytes = text_bytes_[static_cast<size_t>(document)];
  trust(&bytes, sizeof bytes);
  return bytes;
}

void TokenStore::append(int64_t first, int64_t count, std::vector<int64_t>& ids) const {
  if (first < 0 || count < 0 || first > tokens_ - count) {
    damaged(fmt::format("ids {} and {} after it are not within it", first, count));
  }
  const std::byte* from = ids_.data() + first * id_bytes_;
  trust(from, static_cast<size_t>(count * id_bytes_));
  id_bytes_ == 2 ? widen<uint16_t>(from, count, ids) : widen<uint32_t>(from, count, ids);
  const std::span<const int64_t> added = std::span(ids).last(static_cast<size_t>(count));
  if (count > 0 && *std::ranges::max_element(added) >= vocab_size_) {
    damaged(fmt::format("it has an id of {} or more", vocab_size_));
  }
}

std::vector<int64_t> TokenStore::document(int64_t index) const {
  std::vector<int64_t> ids;
  append(first(index), length(index), ids);
  return ids;
}

int64_t TokenStore::label(int64_t document) const {
  range(document);  // also without labels: a document that is not there has none to be without
  if (labels_.empty()) {
    return -1;
  }
  const int32_t& label = labels_[static_cast<size_t>(document)];
  trust(&label, sizeof label);
  if (label < -1 || label >= std::ssize(classes_)) {
    damaged(fmt::format("document {} has class {} of {}", document, label, classes_.size()));
  }
  return label;
}

Sample TokenStore::sample(int64_t document) const {
  Sample sample;
  if (has_columns()) {
    const auto part = [&](const auto& all, std::span<const uint64_t> starts) {
      const auto [first, last] = range(starts, document, all.size());
      const auto chosen = all.subspan(first, last - first);
      trust(chosen.data(), chosen.size_bytes());
      return chosen;
    };
    const std::span<const char> text = part(std::span(texts_), text_starts_);
    sample = read_notes(this->document(document), part(notes_, note_starts_), {text.data(), text.size()});
    check_columns(sample);
  } else {
    sample.ids = this->document(document);
  }
  sample.label = sample.choices.empty() ? label(document) : sample.label;
  return sample;
}

namespace {

// Whether parts that begin there are the whole text, and none is empty.
bool are_parts(const std::vector<int64_t>& starts, const std::vector<int64_t>& ids) {
  return starts.empty() || (starts.front() == 0 && starts.back() < std::ssize(ids) &&
                            std::ranges::adjacent_find(starts, std::greater_equal<>()) == starts.end());
}

}  // namespace

void TokenStore::check_columns(const Sample& sample) const {
  const auto all_below = [](std::span<const int64_t> values, int64_t end) {
    return std::ranges::all_of(values, [end](int64_t value) { return value >= 0 && value < end; });
  };
  const int64_t classes = std::ssize(classes_);
  const std::vector<int64_t>& last = sample.further_texts.empty() ? sample.ids : sample.further_texts.back();
  const bool holds =
      all_below(sample.label_set, classes) && all_below(sample.tags, classes) &&
      all_below(sample.word_starts, std::ssize(sample.ids) + 1) &&
      std::ranges::is_sorted(sample.word_starts) && are_parts(sample.sentence_starts, sample.ids) &&
      (sample.choices.empty() || (sample.label >= -1 && sample.label < std::ssize(sample.choices))) &&
      (sample.passage == nullptr || sample.passage->ids.size() == last.size());
  if (!holds) {
    damaged("the notes of a document do not fit it");
  }
}

}  // namespace lmzoo
