#include "data/batches/windows.h"

#include <algorithm>
#include <limits>

#include "base/check.h"

namespace lmzoo {

namespace {
constexpr int64_t kIndexEvery = 64;
}  // namespace

Windows::Windows(std::shared_ptr<const TokenStore> store, const WindowOptions& options)
    : store_(std::move(store)), options_(options) {
  check(options_.length >= 1, "a window has {} ids but must have at least 1", options_.length);
  check(!store_->has_columns() || options_.kind == WindowKind::documents,
        "is {}, but records with columns are read one by one: it must be documents",
        name_of(options_.kind));
  if (options_.kind == WindowKind::stream) {
    count_stream();
  } else {
    index_pieces();
  }
}

std::vector<Sample> Windows::window(int64_t index) const {
  if (options_.kind == WindowKind::stream) {
    return {stream_window(index)};
  }
  Cursor cursor = (*index_)[index / kIndexEvery];
  for (int64_t i = index / kIndexEvery * kIndexEvery; i < index; ++i) {
    next_window(cursor, [](const Piece&) {});
  }
  std::vector<Sample> samples;
  next_window(cursor, [&](const Piece& piece) {
    if (store_->has_columns()) {
      samples.push_back(store_->sample(piece.document));
      return;
    }
    Sample& sample = samples.emplace_back();
    sample.label = store_->label(piece.document);
    store_->append(piece.first, piece.count, sample.ids);
  });
  return samples;
}

void Windows::index_pieces() {
  auto index = std::make_shared<std::vector<Cursor>>();
  Cursor cursor;
  Cursor begin;
  while (next_window(cursor, [&](const Piece& piece) {
    tokens_ += piece.count;
    ++samples_;
  })) {
    if (size_ % kIndexEvery == 0) {
      index->push_back(begin);
    }
    begin = cursor;
    ++size_;
  }
  index_ = std::move(index);
}

bool Windows::next_piece(Cursor& cursor, Piece& piece) const {
  while (cursor.document < store_->documents() && store_->length(cursor.document) == 0) {
    ++cursor.document;
  }
  if (cursor.document == store_->documents()) {
    return false;
  }
  const int64_t length = store_->length(cursor.document);
  const int64_t start = store_->first(cursor.document);
  const int64_t longest = store_->has_columns() ? length : options_.length;
  piece = {cursor.document, start + cursor.used, std::min(longest, length - cursor.used)};
  cursor.used += piece.count;
  if (cursor.used == length || options_.long_documents == LongDocuments::truncate) {
    cursor = {cursor.document + 1, 0};
  }
  return true;
}

template <class Take>
bool Windows::next_window(Cursor& cursor, const Take& take) const {
  const bool one = options_.kind == WindowKind::documents;
  int64_t room = options_.length + options_.overhead;  // the first piece always fits
  if (one) {
    room = std::numeric_limits<int64_t>::max();
  }
  bool any = false;
  Piece piece;
  for (Cursor after = cursor; next_piece(after, piece); cursor = after) {
    room -= piece.count + options_.overhead;
    if (room < 0 || (one && any)) {
      break;
    }
    take(piece);
    any = true;
  }
  return any;
}

void Windows::count_stream() {
  const int64_t separators = options_.separator ? store_->documents() : 0;
  tokens_ = store_->tokens() + separators;
  size_ = (tokens_ + options_.length - 1) / options_.length;
  if (!options_.keep_last) {
    size_ = tokens_ / options_.length;
    tokens_ = size_ * options_.length;
  }
  samples_ = size_;
}

Sample Windows::stream_window(int64_t index) const {
  const int64_t begin = index * options_.length;
  const int64_t count = std::min(options_.length, tokens_ - begin);
  // Where a document begins in the joined stream: every document before it has brought a separator.
  const auto joined_start = [&](int64_t document) {
    return store_->first(document) + (options_.separator ? document : 0);
  };
  int64_t document = 0;  // the last one that does not begin behind the window's first id
  for (int64_t last = store_->documents() - 1; document < last;) {
    const int64_t middle = document + (last - document + 1) / 2;
    if (joined_start(middle) <= begin) {
      document = middle;
    } else {
      last = middle - 1;
    }
  }

  Sample sample;
  sample.ids.reserve(count);
  int64_t used = begin - joined_start(document);  // ids of this document before the window
  while (static_cast<int64_t>(sample.ids.size()) < count) {
    const int64_t missing = count - static_cast<int64_t>(sample.ids.size());
    const int64_t taken = std::min(missing, store_->length(document) - used);
    store_->append(store_->first(document) + used, taken, sample.ids);
    if (taken < missing && options_.separator) {
      sample.ids.push_back(*options_.separator);
    }
    ++document;
    used = 0;
  }
  return sample;
}

}  // namespace lmzoo
