#include "data/store/token_store.h"

#include "data/stores.h"
#include "support/catch.h"

using namespace lmzoo;
using namespace lmzoo::test;
using Ids = std::vector<int64_t>;

namespace {

// Three documents, the second empty, of two classes.
void write_labeled(const std::string& path, int64_t vocab_size) {
  write_atomically(path, [&](FileSink& sink) {
    TokenStoreWriter writer(sink, vocab_size);
    writer.add({{1, 2, 3}, 7, 0});
    writer.add({{}, 0, 1});
    writer.add({{vocab_size - 1}, 4, 0});
    writer.finish({"naïve", "動物"}, std::vector<int32_t>{1, 0});
  });
}

std::string message_of(const std::string& path) {
  try {
    TokenStore store(path);
    return "";
  } catch (const InputError& error) {
    return error.what();
  }
}

}  // namespace

TEST_CASE("a token store gives back what was written, with ids as small as the vocabulary allows") {
  const int64_t vocab_size = GENERATE(300, 65'536, 65'537, 250'000);
  const TempDir folder;
  const std::string path = folder / "tokens.bin";
  write_labeled(path, vocab_size);
  const TokenStore store(path);
  CHECK(store.id_bytes() == (vocab_size <= 65'536 ? 2 : 4));
  CHECK(store.vocab_size() == vocab_size);
  CHECK(store.documents() == 3);
  CHECK(store.tokens() == 4);
  CHECK(store.document(0) == Ids{1, 2, 3});
  CHECK(store.document(1) == Ids{});
  CHECK(store.document(2) == Ids{vocab_size - 1});
  CHECK(store.text_bytes() == 11);
  CHECK(store.text_bytes(2) == 4);
  CHECK(store.classes() == std::vector<std::string>{"naïve", "動物"});
  CHECK(store.label(0) == 1);
  CHECK(store.label(1) == 0);
}

TEST_CASE("a token store without labels and one without documents are whole") {
  const TempDir folder;
  const auto store = make_store(folder / "tokens.bin", {{5}});
  CHECK(store->classes().empty());
  CHECK(store->label(0) == -1);
  CHECK(make_store(folder / "none.bin", {})->documents() == 0);
}

TEST_CASE("a token store cut anywhere, or with any byte changed, is refused by name") {
  const TempDir folder;
  const std::string path = folder / "tokens.bin";
  write_labeled(path, 300);
  const std::string whole = read_file(path);
  for (size_t length = 0; length < whole.size(); ++length) {
    write_file(path, whole.substr(0, length));
    INFO("cut at " << length);
    CHECK(message_of(path).find(path) == 0);
  }
  for (size_t i = 0; i < whole.size(); ++i) {
    std::string changed = whole;
    changed[i] = static_cast<char>(changed[i] ^ 0x10);
    write_file(path, changed);
    INFO("changed at " << i);
    CHECK(message_of(path).find(path) == 0);
  }
}

TEST_CASE("a writer refuses an id outside the vocabulary") {
  const TempDir folder;
  const std::string path = folder / "tokens.bin";
  CHECK_THROWS_AS(make_store(path, {{10}}, 10), std::logic_error);
  CHECK_THROWS_AS(make_store(path, {{-1}}, 10), std::logic_error);
}
