// Which pieces of a TokenStore are read together. A window is the unit of shuffling and of batch_size; it
// becomes one or several samples, each its own sequence.
//
//   documents  a document a window; a longer one is split in pieces of `length` (the last is the rest) or cut
//   packed     as many pieces of consecutive documents as fit (next fit), each its own sample
//   stream     all documents joined by the separator, cut every `length` ids
//
// Documents with columns (TokenStore::has_columns) are never cut: the objective knows which of their texts
// may be. For them `documents` is the only kind, and `length` says nothing.
//
// With documents of 3, 2 and 5 ids, length 4 and no overhead (letters are documents):
//   documents  aaa | bb | cccc | c          packed  aaa | bb | cccc | c       (length 5: aaa bb | ccccc)
//   stream     aaa_ | bb_c | cccc | _       (_ is the separator)
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/fields.h"
#include "core/objective.h"
#include "data/store/token_store.h"

namespace lmzoo {

enum class WindowKind { documents, packed, stream };
template <>
struct EnumNames<WindowKind> {
  static constexpr std::pair<WindowKind, std::string_view> values[] = {
      {WindowKind::documents, "documents"}, {WindowKind::packed, "packed"}, {WindowKind::stream, "stream"}};
};

// What happens to a document that is longer than a window (documents and packed).
enum class LongDocuments { split, truncate };
template <>
struct EnumNames<LongDocuments> {
  static constexpr std::pair<LongDocuments, std::string_view> values[] = {
      {LongDocuments::split, "split"}, {LongDocuments::truncate, "truncate"}};
};

struct WindowOptions {
  WindowKind kind = WindowKind::documents;
  int64_t length = 0;  // ids of a full window: Objective::lengths().raw
  LongDocuments long_documents = LongDocuments::split;
  int64_t overhead = 0;                // packed: special ids an objective adds to each sample; a window holds
                                       // samples of length_i + overhead up to length + overhead together
  std::optional<int64_t> separator{};  // stream: stands after every document (eos); absent: nothing does
  bool keep_last = true;               // stream: whether a last window shorter than `length` is kept
};

// The windows of a store, addressable at random. Copies are cheap: the index holds one entry for every 64
// windows (none for stream).
class Windows {
 public:
  Windows(std::shared_ptr<const TokenStore> store, const WindowOptions& options);

  int64_t size() const { return size_; }
  // Samples of window `index`; none is empty. Thread-safe.
  std::vector<Sample> window(int64_t index) const;

  int64_t tokens() const { return tokens_; }    // ids in all windows, separators included
  int64_t samples() const { return samples_; }  // in all windows
  const TokenStore& store() const { return *store_; }
  const WindowOptions& options() const { return options_; }

 private:
  // Where the next window begins: so many ids of this document are used.
  struct Cursor {
    int64_t document = 0;
    int64_t used = 0;
  };
  struct Piece {
    int64_t document = 0;
    int64_t first = 0;  // id of the store
    int64_t count = 0;
  };

  bool next_piece(Cursor& cursor, Piece& piece) const;
  // Calls take(piece) for each piece of the window at `cursor` and moves it to the next; false at the end.
  template <class Take>
  bool next_window(Cursor& cursor, const Take& take) const;
  void index_pieces();
  void count_stream();
  Sample stream_window(int64_t index) const;

  std::shared_ptr<const TokenStore> store_;
  WindowOptions options_;
  int64_t size_ = 0;
  int64_t tokens_ = 0;
  int64_t samples_ = 0;
  std::shared_ptr<const std::vector<Cursor>> index_;  // of windows 0, 64, 128, ...
};

}  // namespace lmzoo
