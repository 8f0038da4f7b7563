// Token ids of a corpus in one memory-mapped file: opened at once, shared by processes, larger than memory.
//
// Format, little-endian, version 2; written in one pass, so the counts stand at the end:
//   header    "LMZOOIDS", u32 version, u32 bytes of an id (2 or 4), u64 vocabulary size        24 bytes
//   ids       u16 or u32 [tokens], zeros up to a multiple of 8
//   starts    u64 [documents + 1]: document i is ids [starts[i], starts[i+1])
//   notes at  u64 [documents + 1]: the notes of document i; absent when no document has columns
//   texts at  u64 [documents + 1]: the passage of document i; absent as above
//   bytes     u32 [documents]: UTF-8 bytes of the document's normalized text
//   labels    i32 [documents]: index of its class; absent when there are no classes
//   notes     i32 [notes]: what the ids of a document with columns are (data/store/sample_notes.h)
//   texts     UTF-8 of all passages
//   classes   each u32 length, then UTF-8 bytes
//   trailer   u64 documents, u64 tokens, u64 classes, u64 bytes of the section `classes`, u64 notes,
//             u64 bytes of `texts`, u64 1 when there are columns else 0,
//             u32 CRC-32 of everything before it, u32 zero, "LMZOOEND"                          72 bytes
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/sample.h"
#include "io/files.h"

namespace lmzoo {

// A finished store. Reading is thread-safe.
class TokenStore {
 public:
  // Maps the file and verifies sizes and checksum; throws InputError naming it when it is not a whole store.
  explicit TokenStore(const std::string& path);

  int64_t documents() const { return documents_; }
  int64_t tokens() const { return tokens_; }  // of all documents, without separators
  int64_t vocab_size() const { return vocab_size_; }
  int64_t id_bytes() const { return id_bytes_; }  // 2 or 4
  const std::string& path() const { return file_.path(); }

  // starts()[i] .. starts()[i+1] are the ids of document i.
  std::span<const uint64_t> starts() const { return starts_; }
  int64_t length(int64_t document) const {
    return static_cast<int64_t>(starts_[document + 1] - starts_[document]);
  }
  // Appends the ids [first, first + count) of the whole store to `ids`.
  void append(int64_t first, int64_t count, std::vector<int64_t>& ids) const;
  std::vector<int64_t> document(int64_t index) const;

  // Bytes of the normalized text: nats per token · tokens() / text_bytes() / ln 2 = bits per byte.
  int64_t text_bytes(int64_t document) const { return text_bytes_[document]; }
  int64_t text_bytes() const { return total_text_bytes_; }

  const std::vector<std::string>& classes() const { return classes_; }  // empty without labels
  int64_t label(int64_t document) const { return labels_.empty() ? -1 : labels_[document]; }

  // Whether documents have more than one text and a class: sample() then tells their parts, and the ids of a
  // document are those of all its texts.
  bool has_columns() const { return !note_starts_.empty(); }
  Sample sample(int64_t document) const;

 private:
  MappedFile file_;
  int64_t documents_ = 0;
  int64_t tokens_ = 0;
  int64_t vocab_size_ = 0;
  int64_t id_bytes_ = 0;
  int64_t total_text_bytes_ = 0;
  std::span<const std::byte> ids_;
  std::span<const uint64_t> starts_;
  std::span<const uint32_t> text_bytes_;
  std::span<const int32_t> labels_;
  std::span<const uint64_t> note_starts_, text_starts_;
  std::span<const int32_t> notes_;
  std::string_view texts_;
  std::vector<std::string> classes_;
};

// One document on its way into a store. `label` indexes the writer's classes; -1 without.
struct StoredDocument {
  std::vector<int64_t> ids;
  int64_t text_bytes = 0;
  int64_t label = -1;
  std::optional<Sample> columns{};  // what else it has; its own `ids` and `label` are not used
};

// Appends documents to a file that is being made; the tables stay in memory until finish().
class TokenStoreWriter {
 public:
  TokenStoreWriter(FileSink& sink, int64_t vocab_size);

  // All documents have columns or none has. An id outside the vocabulary is a std::logic_error.
  void add(const StoredDocument& document);
  // Writes the tables. `relabel`, when not empty, maps the labels given to add() to indexes of `classes`.
  void finish(const std::vector<std::string>& classes, std::span<const int32_t> relabel = {});

  int64_t documents() const { return static_cast<int64_t>(text_bytes_.size()); }
  int64_t tokens() const { return static_cast<int64_t>(starts_.back()); }

 private:
  void write(std::span<const std::byte> bytes);

  FileSink& sink_;
  int64_t vocab_size_;
  int64_t id_bytes_;
  uint32_t crc_ = 0;
  std::vector<uint64_t> starts_{0};
  std::vector<uint32_t> text_bytes_;
  std::vector<int32_t> labels_;
  std::vector<uint64_t> note_starts_, text_starts_;  // empty without columns
  std::vector<int32_t> notes_;
  std::string texts_;
  std::vector<std::byte> encoded_;  // reused
};

}  // namespace lmzoo
