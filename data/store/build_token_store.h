// Text files to a TokenStore in a cache: built once for a corpus, its options and a tokenizer, by content.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/progress.h"
#include "data/store/token_store.h"
#include "text/source.h"
#include "tokenizer/tokenizer.h"

namespace lmzoo {

struct TokenStoreRequest {
  TextOptions text;
  std::shared_ptr<const Tokenizer> tokenizer;
  std::string cache_dir;
  // Names that labels may have, in the order of their indexes: the training data's for validation data.
  // Absent: the names that occur, sorted.
  std::optional<std::vector<std::string>> classes;
  int threads = 2;  // that encode
};

// The store of the request: opened when the cache has it whole, else built and put there. A document without
// a token is kept (windows skip it). A label that is not among the classes is an InputError with file and
// line.
std::shared_ptr<const TokenStore> build_token_store(const TokenStoreRequest& request,
                                                    const Progress& progress = {});

// Where build_token_store keeps it: CACHE_DIR/tokens-HASH.bin, HASH over the files' content, the text
// options, the tokenizer and the classes.
std::string token_store_path(const TokenStoreRequest& request);

// Reads a text as build_token_store would and refuses what it would refuse: a row without one of the columns, an empty
// label, a class that is not among `classes` (absent: all are new). Of text without rows only the first 64 MiB are read.
TextCounts check_records(const TextOptions& text, const std::optional<std::vector<std::string>>& classes);

// The first records as the store would have them, at most `count`.
std::vector<Sample> first_samples(const TokenStoreRequest& request, int64_t count);

}  // namespace lmzoo
