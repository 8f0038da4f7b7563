// Token ids of a corpus in one memory-mapped file: opened at once, shared by processes, larger than memory.
//
// Format, little-endian, version 6; written in one pass, so the counts stand at the end:
//   header    "LMZOOIDS", u32 version, u32 bytes of an id (2 or 4), u64 vocabulary size             24 bytes
//   ids       u16 or u32 [tokens], zeros up to a multiple of 8
//   starts    u64 [documents + 1]: document i is ids [starts[i], starts[i+1])
//   notes at  u64 [documents + 1]: the notes of document i; absent when no document has columns
//   texts at  u64 [documents + 1]: the passage of document i; absent as above
//   bytes     u32 [documents]: UTF-8 bytes of the document's normalized text
//   labels    i32 [documents]: index of its class; absent when there are no classes
//   notes     i32 [notes]: what the ids of a document with columns are (data/store/sample_notes.h)
//   texts     UTF-8 of all passages
//   classes   each u32 length, then UTF-8 bytes
//   sums      u32 [blocks]: CRC-32 of each 64 KiB of the file before this section
//   trailer   u64 each: documents, tokens, classes, bytes of `classes`, bytes of `sums`, notes,
//             bytes of `texts`, sum of `bytes`, 1 when there are columns else 0, the five ReadNotes;
//             u32 CRC-32 of the header, `classes`, `sums` and all of the trailer before it,
//             u32 zero, "LMZOOEND"                                                                 128 bytes
//
// A corpus may be larger than memory, so opening reads only the ends, which have a checksum of their own. A
// block is compared with its sum when it is read for the first time, so nothing damaged is ever trained on
// and nothing is read twice; all blocks are compared after building, and by `lmzoo doctor` (verify()).
// Offsets, ids and classes that cannot be are refused besides, whatever their sums say.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/sample.h"
#include "io/files.h"

namespace lmzoo {

// What users should know of how a text was read.
struct ReadNotes {
  int64_t blank = 0, invalid_bytes = 0, quoted = 0;  // as in TextCounts
  int64_t unknown = 0;  // ids, of first texts, that stand for what the tokenizer has no piece for
  int64_t words = 0;    // of the text, between white space
  bool operator==(const ReadNotes&) const = default;
};

// A finished store. Reading is thread-safe.
class TokenStore {
 public:
  // Maps the file and verifies both ends and all sizes; throws InputError naming it when it is not a store.
  explicit TokenStore(const std::string& path);

  // Of everything in it but where it lies: equal texts, tokenizers and classes give equal ones.
  std::string fingerprint() const;

  // Reads the whole file against its sums. Here and in all that follows, a bit that is other than written is
  // an InputError that names the file.
  void verify() const;

  int64_t documents() const { return documents_; }
  int64_t tokens() const { return tokens_; }  // of all documents, without separators
  int64_t vocab_size() const { return vocab_size_; }
  int64_t id_bytes() const { return id_bytes_; }  // 2 or 4
  const std::string& path() const { return file_.path(); }

  // The ids of a document are [first(i), first(i) + length(i)) of the store.
  int64_t first(int64_t document) const { return static_cast<int64_t>(range(document).first); }
  int64_t length(int64_t document) const {
    const auto [first, last] = range(document);
    return static_cast<int64_t>(last - first);
  }
  // The document that the id `at` of the store belongs to.
  int64_t document_at(int64_t at) const;
  // Appends the ids [first, first + count) of the whole store to `ids`.
  void append(int64_t first, int64_t count, std::vector<int64_t>& ids) const;
  std::vector<int64_t> document(int64_t index) const;

  // Bytes of the normalized text: nats per token · tokens() / text_bytes() / ln 2 = bits per byte.
  int64_t text_bytes(int64_t document) const;
  int64_t text_bytes() const { return total_text_bytes_; }

  const ReadNotes& notes() const { return read_notes_; }

  const std::vector<std::string>& classes() const { return classes_; }  // empty without labels
  int64_t label(int64_t document) const;

  // Whether documents have more than one text and a class, or sentences: sample() then tells their parts, and the ids
  // of a document are those of all its texts.
  bool has_columns() const { return !note_starts_.empty(); }
  Sample sample(int64_t document) const;

 private:
  // Entries `document` and the next of one of the tables, which must be in order and within `total`.
  std::pair<uint64_t, uint64_t> range(std::span<const uint64_t> table,
                                      int64_t document,
                                      uint64_t total) const;
  std::pair<uint64_t, uint64_t> range(int64_t document) const {
    return range(starts_, document, static_cast<uint64_t>(tokens_));
  }
  std::span<const std::byte> summed_bytes() const;  // the file before its sums
  // Compares the blocks that these bytes of the file lie in with their sums, unless that is done.
  void trust(const void* begin, size_t bytes) const;
  void check_columns(const Sample& sample) const;
  [[noreturn]] void damaged(const std::string& what) const;

  MappedFile file_;
  int64_t documents_ = 0;
  int64_t tokens_ = 0;
  int64_t vocab_size_ = 0;
  int64_t id_bytes_ = 0;
  int64_t total_text_bytes_ = 0;
  ReadNotes read_notes_;
  std::span<const std::byte> ids_;
  std::span<const uint64_t> starts_;
  std::span<const uint32_t> text_bytes_;
  std::span<const int32_t> labels_;
  std::span<const uint64_t> note_starts_, text_starts_;
  std::span<const int32_t> notes_;
  std::string_view texts_;
  std::vector<std::string> classes_;
  std::vector<uint32_t> sums_;
  std::unique_ptr<std::atomic<bool>[]> trusted_;  // of each block
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
  // Kept with the tables.
  void note(const ReadNotes& notes) { read_notes_ = notes; }
  // Writes the tables. `relabel`, when not empty, maps the labels given to add() to indexes of `classes`.
  void finish(const std::vector<std::string>& classes, std::span<const int32_t> relabel = {});

  int64_t documents() const { return static_cast<int64_t>(text_bytes_.size()); }
  int64_t tokens() const { return static_cast<int64_t>(starts_.back()); }

 private:
  void write(std::span<const std::byte> bytes);
  void end_block();

  FileSink& sink_;
  int64_t vocab_size_;
  int64_t id_bytes_;
  uint32_t block_crc_ = 0;
  size_t block_bytes_ = 0;  // of the block that is being filled
  std::vector<uint32_t> sums_;
  std::vector<uint64_t> starts_{0};
  std::vector<uint32_t> text_bytes_;
  std::vector<int32_t> labels_;
  std::vector<uint64_t> note_starts_, text_starts_;  // empty without columns
  std::vector<int32_t> notes_;
  std::string texts_;
  ReadNotes read_notes_;
  std::vector<std::byte> encoded_;  // reused
};

}  // namespace lmzoo
