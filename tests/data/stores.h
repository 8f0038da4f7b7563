// Small token stores for tests.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "data/store/token_store.h"
#include "support/files.h"

namespace lmzoo::test {

// A store in `path` of these documents, a text byte an id.
inline std::shared_ptr<const TokenStore> make_store(const std::string& path,
                                                    const std::vector<std::vector<int64_t>>& documents,
                                                    int64_t vocab_size = 1000) {
  write_atomically(path, [&](FileSink& sink) {
    TokenStoreWriter writer(sink, vocab_size);
    for (const std::vector<int64_t>& ids : documents) {
      writer.add({ids, static_cast<int64_t>(ids.size()), -1});
    }
    writer.finish({});
  });
  return std::make_shared<const TokenStore>(path);
}

// `count` documents of 0 to 9 ids; all ids differ as far as the vocabulary of 60,000 goes.
inline std::shared_ptr<const TokenStore> make_ragged_store(const std::string& path, int64_t count) {
  std::vector<std::vector<int64_t>> documents(count);
  int64_t next = 0;
  for (int64_t i = 0; i < count; ++i) {
    documents[i].resize(i * 7 % 10);
    for (int64_t& id : documents[i]) {
      id = next++ % 60'000;
    }
  }
  return make_store(path, documents, 60'000);
}

}  // namespace lmzoo::test
