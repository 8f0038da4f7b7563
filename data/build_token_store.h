// Text files to a TokenStore in a cache: built once for a corpus, its options and a tokenizer, by content.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "data/text_source.h"
#include "data/token_store.h"
#include "data/tokenizer/tokenizer.h"

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

struct BuildProgress {
  int64_t documents = 0;
  int64_t tokens = 0;
  int64_t text_bytes = 0;   // read so far
  int64_t total_bytes = 0;  // size of the files; of compressed ones more text than that comes out
};
// Called by the thread that builds, a few times a second; what it throws stops the build and leaves no file.
using BuildCallback = std::function<void(const BuildProgress&)>;

// The store of the request: opened when the cache has it whole, else built and put there. Documents without a
// token are kept (windows skip them). Throws InputError naming file and line for a label that is not among
// the classes, and for a label that is missing where other documents have one.
std::shared_ptr<const TokenStore> build_token_store(const TokenStoreRequest& request,
                                                    const BuildCallback& progress = {});

// Where build_token_store keeps it: CACHE_DIR/tokens-HASH.bin, HASH over the files' content, the text
// options, the tokenizer and the classes.
std::string token_store_path(const TokenStoreRequest& request);

}  // namespace lmzoo
