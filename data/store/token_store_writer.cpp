// TokenStoreWriter of token_store.h.
#include <algorithm>
#include <numeric>
#include <stdexcept>

#include <fmt/format.h>

#include "data/store/sample_notes.h"
#include "data/store/token_store.h"
#include "data/store/token_store_format.h"

namespace lmzoo {
namespace {

using namespace token_store_format;

template <class T>
void narrow(std::span<const int64_t> ids, std::vector<std::byte>& bytes) {
  bytes.resize(ids.size() * sizeof(T));
  auto* out = reinterpret_cast<T*>(bytes.data());
  std::transform(ids.begin(), ids.end(), out, [](int64_t id) { return static_cast<T>(id); });
}

}  // namespace

TokenStoreWriter::TokenStoreWriter(FileSink& sink, int64_t vocab_size)
    : sink_(sink), vocab_size_(vocab_size), id_bytes_(vocab_size <= int64_t{1} << 16 ? 2 : 4) {
  const Header header = header_of(vocab_size_, id_bytes_);
  write(std::as_bytes(std::span(&header, 1)));
}

void TokenStoreWriter::write(std::span<const std::byte> bytes) {
  sink_.write(bytes);
  for (std::span<const std::byte> rest = bytes; !rest.empty();) {
    const auto part = rest.first(std::min(rest.size(), kBlock - block_bytes_));
    block_crc_ = crc32(part, block_crc_);
    block_bytes_ += part.size();
    rest = rest.subspan(part.size());
    if (block_bytes_ == kBlock) {
      end_block();
    }
  }
}

void TokenStoreWriter::end_block() {
  sums_.push_back(block_crc_);
  block_crc_ = 0;
  block_bytes_ = 0;
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
  trailer.passage_bytes = texts_.size();
  trailer.text_bytes = std::accumulate(text_bytes_.begin(), text_bytes_.end(), uint64_t{0});
  trailer.has_columns = note_starts_.empty() ? 0 : 1;
  trailer.blank = static_cast<uint64_t>(read_notes_.blank);
  trailer.invalid_bytes = static_cast<uint64_t>(read_notes_.invalid_bytes);
  trailer.quoted = static_cast<uint64_t>(read_notes_.quoted);
  trailer.unknown = static_cast<uint64_t>(read_notes_.unknown);
  trailer.words = static_cast<uint64_t>(read_notes_.words);
  std::vector<std::byte> names;
  for (const std::string& name : classes) {
    const auto length = static_cast<uint32_t>(name.size());
    const std::span<const std::byte> size = std::as_bytes(std::span(&length, 1)), text = as_bytes(name);
    names.insert(names.end(), size.begin(), size.end());
    names.insert(names.end(), text.begin(), text.end());
  }
  write(names);
  if (block_bytes_ > 0) {
    end_block();
  }
  const std::span<const std::byte> sums = std::as_bytes(std::span(sums_));
  trailer.class_bytes = names.size();
  trailer.sum_bytes = sums.size();
  std::copy(kEndMagic.begin(), kEndMagic.end(), trailer.magic);
  std::vector<std::byte> tail = names;
  tail.insert(tail.end(), sums.begin(), sums.end());
  trailer.ends_crc = crc_of_ends(header_of(vocab_size_, id_bytes_), tail, trailer);
  sink_.write(sums);
  sink_.write(std::as_bytes(std::span(&trailer, 1)));
}

}  // namespace lmzoo
