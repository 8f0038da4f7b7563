#include "data/store/token_store.h"

#include <cstdint>
#include <functional>

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

std::string message_of(const std::function<void()>& work) {
  try {
    work();
    return "";
  } catch (const InputError& error) {
    return error.what();
  }
}

std::string message_of(const std::string& path) {
  return message_of([&] { TokenStore store(path); });
}

// Of reading all of it.
std::string damage_of(const std::string& path) {
  return message_of([&] { TokenStore(path).verify(); });
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
  CHECK(damage_of(path).empty());
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
    CHECK(damage_of(path).find(path) == 0);
  }
}

TEST_CASE("a token store opens by its ends, and what is damaged elsewhere is refused where it is read") {
  const TempDir folder;
  const std::string path = folder / "tokens.bin";
  // Ids of 2 bytes from byte 24 on: document 0 lies in block 0, document 1 begins in block 2 of 64 KiB.
  std::vector<std::vector<int64_t>> documents(3);
  for (size_t i = 0; i < documents.size(); ++i) {
    documents[i].assign(80'000, static_cast<int64_t>(i));
  }
  make_store(path, documents);
  std::string bytes = read_file(path);
  constexpr size_t kInDocument1 = 24 + 2 * 120'000;
  bytes[kInDocument1] = static_cast<char>(bytes[kInDocument1] ^ 1);  // another id, and a legal one
  write_file(path, bytes);
  const TokenStore store(path);
  CHECK(store.documents() == 3);
  CHECK(store.length(1) == 80'000);
  CHECK(store.document(0) == documents[0]);
  CHECK(store.document(2) == documents[2]);
  const std::string expected =
      path +
      ": token store is damaged: the checksum of its bytes from 196608 on is wrong; delete it, and it "
      "is made again";
  CHECK_THROWS_WITH(store.document(1), expected);
  CHECK_THROWS_WITH(store.verify(), expected);
}

TEST_CASE("documents, ids and tables that a store does not have are refused, and not read") {
  const TempDir folder;
  const auto store = make_store(folder / "tokens.bin", {{1, 2}, {}, {3}});
  std::vector<int64_t> ids;
  for (const auto& [first, count] : std::vector<std::pair<int64_t, int64_t>>{
           {-1, 1}, {0, -1}, {0, 4}, {3, 1}, {INT64_MAX, 1}, {1, INT64_MAX}, {INT64_MIN, INT64_MAX}}) {
    CHECK_THROWS_AS(store->append(first, count, ids), InputError);
  }
  CHECK(ids.empty());
  store->append(3, 0, ids);
  for (const int64_t document : {int64_t{-1}, int64_t{3}, INT64_MAX, INT64_MIN}) {
    CHECK_THROWS_AS(store->document(document), InputError);
    CHECK_THROWS_AS(store->length(document), InputError);
    CHECK_THROWS_AS(store->label(document), InputError);
    CHECK_THROWS_AS(store->text_bytes(document), InputError);
  }
  CHECK(store->document_at(0) == 0);
  CHECK(store->document_at(1) == 0);
  CHECK(store->document_at(2) == 2);
  CHECK_THROWS_AS(store->document_at(3), InputError);
  CHECK_THROWS_AS(store->document_at(-1), InputError);
}

TEST_CASE("a writer refuses an id outside the vocabulary") {
  const TempDir folder;
  const std::string path = folder / "tokens.bin";
  CHECK_THROWS_AS(make_store(path, {{10}}, 10), std::logic_error);
  CHECK_THROWS_AS(make_store(path, {{-1}}, 10), std::logic_error);
}
