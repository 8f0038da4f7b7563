#include "data/store/build_token_store.h"

#include <algorithm>
#include <deque>
#include <filesystem>
#include <future>
#include <map>
#include <utility>

#include "base/check.h"
#include "base/strings.h"
#include "base/utf8.h"
#include "io/content_hash.h"
#include "io/files.h"
#include "text/class_order.h"
#include "text/formats.h"
#include "tokenizer/encode_columns.h"

namespace lmzoo {
namespace {

// Text that one thread encodes at a time: some ten milliseconds of work.
constexpr size_t kChunkBytes = 256 << 10;

// A record as it waits for a thread that encodes it.
struct Item {
  std::string text;
  bool has_sentences = false;
  int64_t label = -1;
  std::optional<RecordColumns> columns{};
  std::vector<int64_t> label_set{}, tags{};  // indexes of its classes
};

struct Chunk {
  std::vector<Item> items;
  size_t bytes = 0;
};

StoredDocument encode(const Tokenizer& tokenizer, const Item& item) {
  StoredDocument document{.ids = {}, .text_bytes = 0, .label = item.label, .columns = {}};
  if (item.columns) {
    Sample sample = encode_columns(tokenizer, *item.columns);
    sample.label_set = item.label_set;
    sample.tags = item.tags;
    document.ids = sample.ids;
    document.text_bytes = std::ssize(item.text);
    document.columns = std::move(sample);
  } else if (item.has_sentences) {
    document.columns = encode_sentences(tokenizer, item.text);
    document.ids = document.columns->ids;
    document.text_bytes = std::ssize(item.text);
  } else {
    document.ids = tokenizer.encode(item.text);
    document.text_bytes = std::ssize(tokenizer.decode(document.ids));
  }
  return document;
}

std::vector<StoredDocument> encode(const Tokenizer& tokenizer, const Chunk& chunk) {
  std::vector<StoredDocument> documents;
  documents.reserve(chunk.items.size());
  for (const Item& item : chunk.items) {
    documents.push_back(encode(tokenizer, item));
  }
  return documents;
}

// Names to indexes: fixed ones, or new ones in the order of their first use.
class ClassIndex {
 public:
  explicit ClassIndex(const std::optional<std::vector<std::string>>& fixed) : fixed_(fixed.has_value()) {
    for (const std::string& name : fixed.value_or(std::vector<std::string>{})) {
      add(name);
    }
  }

  int64_t index(const TextRecord& record) { return index(record, std::string(*record.label)); }

  std::vector<int64_t> indexes(const TextRecord& record, const std::vector<std::string>& names) {
    std::vector<int64_t> all;
    for (const std::string& name : names) {
      all.push_back(index(record, name));
    }
    return all;
  }

  int64_t index(const TextRecord& record, const std::string& name) {
    const auto found = indexes_.find(name);
    if (found != indexes_.end()) {
      return found->second;
    }
    if (fixed_) {
      refuse(record, name);
    }
    return add(name);
  }

  std::vector<std::string> names() const {
    std::vector<std::string> names(indexes_.size());
    for (const auto& [name, index] : indexes_) {
      names[index] = name;
    }
    return names;
  }

  // For classes that were found: their ordered names, and the place among them of each index given out.
  std::pair<std::vector<std::string>, std::vector<int32_t>> ordered() const {
    std::vector<std::string> found = ordered_classes(names());
    std::vector<int32_t> relabel(found.size());
    for (size_t i = 0; i < found.size(); ++i) {
      relabel[indexes_.at(found[i])] = static_cast<int32_t>(i);
    }
    return {std::move(found), std::move(relabel)};
  }

 private:
  int32_t add(const std::string& name) {
    return indexes_.emplace(name, static_cast<int32_t>(indexes_.size())).first->second;
  }

  [[noreturn]] void refuse(const TextRecord& record, const std::string& name) const {
    constexpr size_t kShown = 10;
    std::vector<std::string> known = names();
    const std::string similar = suggestion(name, known);
    const size_t count = known.size();
    known.resize(std::min(count, kShown));
    throw InputError(Location{std::string(record.file), record.line},
                     fmt::format("label '{}' is not among the {} classes of the training data: {}{}{}",
                                 printable(name),
                                 count,
                                 printable(joined(known), 400),
                                 count > kShown ? ", ..." : "",
                                 printable(similar)));
  }

  bool fixed_;
  std::map<std::string, int32_t> indexes_;
};

// Encodes chunks on threads of their own, at most `threads` at once, and writes them in the order given.
class OrderedEncoder {
 public:
  OrderedEncoder(std::shared_ptr<const Tokenizer> tokenizer, TokenStoreWriter& writer, int threads)
      : tokenizer_(std::move(tokenizer)),
        writer_(writer),
        threads_(static_cast<size_t>(std::max(threads, 1))) {}

  void add(Item item) {
    chunk_.bytes += item.text.size();
    chunk_.items.push_back(std::move(item));
    if (chunk_.bytes >= kChunkBytes) {
      start();
    }
  }

  void finish() {
    start();
    while (!running_.empty()) {
      write_first();
    }
  }
  int64_t unknown() const { return unknown_; }  // ids so far that stand for what the tokenizer does not know

 private:
  void start() {
    if (running_.size() == threads_) {
      write_first();
    }
    running_.push_back(std::async(
        std::launch::async,
        [tokenizer = tokenizer_, chunk = std::exchange(chunk_, {})] { return encode(*tokenizer, chunk); }));
  }

  void write_first() {
    std::future<std::vector<StoredDocument>> first = std::move(running_.front());
    running_.pop_front();
    const std::optional<int64_t> unk = tokenizer_->vocabulary().unk;
    for (const StoredDocument& document : first.get()) {
      unknown_ += unk ? std::ranges::count(document.ids, *unk) : 0;
      writer_.add(document);
    }
  }

  std::shared_ptr<const Tokenizer> tokenizer_;
  TokenStoreWriter& writer_;
  size_t threads_;
  int64_t unknown_ = 0;
  Chunk chunk_;
  std::deque<std::future<std::vector<StoredDocument>>> running_;
};

Item item_of(const TextOptions& options, const TextRecord& record, ClassIndex& classes) {
  Item item{.text = std::string(record.text), .has_sentences = options.sentences != SentenceEnds::none};
  if (record.label) {
    item.label = classes.index(record);
  }
  if (record.columns != nullptr) {
    item.columns = *record.columns;
    item.label_set = classes.indexes(record, record.columns->labels);
    std::sort(item.label_set.begin(), item.label_set.end());
    item.label_set.erase(std::unique(item.label_set.begin(), item.label_set.end()), item.label_set.end());
    item.tags = classes.indexes(record, record.columns->tags);
  }
  return item;
}

void write_store(const TokenStoreRequest& request, FileSink& sink, const Progress& progress) {
  // Notes of columns hold indexes that cannot be changed afterwards, so all names are read before.
  const auto known = request.classes || !has_columns(request.text) ? request.classes
                                                                   : std::optional(class_names(request.text));
  TokenStoreWriter writer(sink, request.tokenizer->vocabulary().size);
  OrderedEncoder encoder(request.tokenizer, writer, request.threads);
  ClassIndex classes(known);
  const auto use = [&](const TextRecord& record) {
    encoder.add(item_of(request.text, record, classes));
    return true;
  };
  const auto encoding = [&](std::string_view, double share) {
    if (progress) {
      progress("encoding text", share);
    }
  };
  encoding("", 0);
  const TextCounts counts = for_each_record(request.text, use, encoding);
  encoder.finish();
  writer.note({.blank = counts.blank,
               .invalid_bytes = counts.invalid_bytes,
               .quoted = counts.quoted,
               .unknown = encoder.unknown(),
               .words = counts.words});
  encoding("", 1);
  if (known) {
    writer.finish(*known);
  } else {
    const auto [names, relabel] = classes.ordered();
    writer.finish(names, relabel);
  }
}

// Whether it can have been built for the request: a file whose sums are right may still be of another vocabulary.
bool fits(const TokenStore& store, const TokenStoreRequest& request) {
  return store.vocab_size() == request.tokenizer->vocabulary().size &&
         (!request.classes || store.classes() == *request.classes);
}

}  // namespace

TextCounts check_records(const TextOptions& text, const std::optional<std::vector<std::string>>& classes) {
  constexpr int64_t kPlainBytes = int64_t{64} << 20;
  const std::vector<std::string> files = expand_files(text);
  const bool has_rows = std::any_of(files.begin(), files.end(), [&](const std::string& path) {
    const TextFormat format = format_of(text, path);
    return format == TextFormat::jsonl || format == TextFormat::tsv;
  });
  ClassIndex index(classes);
  int64_t read = 0;
  return for_each_record(text, [&](const TextRecord& record) {
    item_of(text, record, index);
    read += std::ssize(record.text);
    return has_rows || read < kPlainBytes;
  });
}

std::vector<Sample> first_samples(const TokenStoreRequest& request, int64_t count) {
  std::vector<Sample> samples;
  ClassIndex index(request.classes);
  for_each_record(request.text, [&](const TextRecord& record) {
    StoredDocument document = encode(*request.tokenizer, item_of(request.text, record, index));
    Sample sample = document.columns ? std::move(*document.columns) : Sample{.ids = std::move(document.ids)};
    sample.label = sample.choices.empty() ? document.label : sample.label;
    samples.push_back(std::move(sample));
    return std::ssize(samples) < count;
  });
  return samples;
}

std::string token_store_path(const TokenStoreRequest& request) {
  ContentHash hash;
  hash.add("token store 7").add(request.tokenizer->fingerprint());
  add_to(hash, request.text);
  if (request.classes) {
    hash.add(static_cast<int64_t>(request.classes->size()));
    for (const std::string& name : *request.classes) {
      hash.add(name);
    }
  }
  return (std::filesystem::path(request.cache_dir) / ("tokens-" + hash.hex() + ".bin")).string();
}

std::shared_ptr<const TokenStore> build_token_store(const TokenStoreRequest& request,
                                                    const Progress& progress) {
  const std::string path = token_store_path(request);
  if (std::filesystem::exists(path)) {
    try {
      auto store = std::make_shared<const TokenStore>(path);
      if (fits(*store, request)) {
        return store;
      }
    } catch (const InputError&) {
      // Damaged.
    }
    // What the cache has is only lost time: it is built again, in its place.
  }
  remove_leftovers(request.cache_dir);
  write_atomically(path, [&](FileSink& sink) { write_store(request, sink, progress); });
  auto store = std::make_shared<const TokenStore>(path);
  store->verify();
  return store;
}

}  // namespace lmzoo
