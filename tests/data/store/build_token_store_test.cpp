#include "data/store/build_token_store.h"

#include <filesystem>

#include "support/catch.h"
#include "support/files.h"

using namespace lmzoo;
using namespace lmzoo::test;

namespace {

std::shared_ptr<const Tokenizer> byte_tokenizer() {
  TokenizerOptions options;
  options.type = TokenizerType::byte;
  return make_tokenizer(options, {}, "");
}

TokenStoreRequest request_for(const TempDir& folder, const std::string& file) {
  TokenStoreRequest request;
  request.text.files = {folder / file};
  request.tokenizer = byte_tokenizer();
  request.cache_dir = folder / "cache";
  return request;
}

TokenStoreRequest labeled_request(const TempDir& folder, const std::string& file) {
  TokenStoreRequest request = request_for(folder, file);
  request.text.text = "1";
  request.text.label = "2";
  return request;
}

std::string text_of(const TokenStoreRequest& request, const TokenStore& store, int64_t document) {
  return request.tokenizer->decode(store.document(document));
}

int64_t files_in(const std::string& folder) {
  return std::distance(std::filesystem::directory_iterator(folder), {});
}

}  // namespace

TEST_CASE("a store in the cache whose sums are right and whose vocabulary is another is built again") {
  const TempDir folder;
  write_file(folder / "a.txt", "one\n");
  const TokenStoreRequest request = request_for(folder, "a.txt");
  write_atomically(token_store_path(request), [](FileSink& sink) {
    TokenStoreWriter writer(sink, 60'000);
    writer.add({{59'999}, 3, -1});
    writer.finish({});
  });
  CHECK_NOTHROW(TokenStore(token_store_path(request)).verify());
  const auto store = build_token_store(request);
  CHECK(store->vocab_size() == request.tokenizer->vocabulary().size);
  CHECK(text_of(request, *store, 0) == "one");
}

TEST_CASE("stores of one text are known by it, wherever they lie, and those of another are not") {
  const TempDir folder;
  write_file(folder / "a.txt", "one\n");
  write_file(folder / "b.txt", "one\n");
  write_file(folder / "c.txt", "two\n");
  const auto known_by = [&](const std::string& file, const std::string& cache) {
    TokenStoreRequest request = request_for(folder, file);
    request.cache_dir = folder / cache;
    return build_token_store(request)->fingerprint();
  };
  CHECK(known_by("a.txt", "here") == known_by("b.txt", "there"));
  CHECK(known_by("a.txt", "here") != known_by("c.txt", "here"));
}

TEST_CASE("a store is built from text, once") {
  const TempDir folder;
  write_file(folder / "a.txt", "one\nzwölf\n");
  const TokenStoreRequest request = request_for(folder, "a.txt");
  int calls = 0;
  const auto count = [&](std::string_view, double) { ++calls; };
  const auto store = build_token_store(request, count);
  CHECK(store->path() == token_store_path(request));
  CHECK(store->documents() == 2);
  CHECK(text_of(request, *store, 0) == "one");
  CHECK(text_of(request, *store, 1) == "zwölf");
  CHECK(store->text_bytes() == 9);
  CHECK(calls > 0);

  calls = 0;
  CHECK(build_token_store(request, count)->path() == store->path());
  CHECK(calls == 0);
}

TEST_CASE("the cache tells apart content, text options and tokenizers, but not file names") {
  const TempDir folder;
  write_file(folder / "a.txt", "one\ntwo\n");
  write_file(folder / "b.txt", "one\ntwo\n");
  write_file(folder / "c.txt", "one\ntwo!\n");
  const std::string path = token_store_path(request_for(folder, "a.txt"));
  CHECK(token_store_path(request_for(folder, "b.txt")) == path);
  CHECK(token_store_path(request_for(folder, "c.txt")) != path);

  TokenStoreRequest other = request_for(folder, "a.txt");
  other.text.format = TextFormat::paragraphs;
  CHECK(token_store_path(other) != path);

  TokenizerOptions few_sentinels;
  few_sentinels.type = TokenizerType::byte;
  few_sentinels.sentinels = 3;
  other = request_for(folder, "a.txt");
  other.tokenizer = make_tokenizer(few_sentinels, {}, "");
  CHECK(token_store_path(other) != path);

  other = request_for(folder, "a.txt");
  other.classes = {"x"};
  CHECK(token_store_path(other) != path);
}

TEST_CASE("a damaged store in the cache is built again") {
  const TempDir folder;
  write_file(folder / "a.txt", "one\ntwo\n");
  const TokenStoreRequest request = request_for(folder, "a.txt");
  build_token_store(request);
  const std::string whole = read_file(token_store_path(request));
  write_file(token_store_path(request), whole.substr(0, whole.size() / 2));
  CHECK(text_of(request, *build_token_store(request), 1) == "two");
  CHECK(read_file(token_store_path(request)) == whole);
}

TEST_CASE("any number of threads builds the same bytes") {
  const TempDir folder;
  std::string text;
  for (int i = 0; i < 120'000; ++i) {
    text += "line " + std::to_string(i) + "\n";
  }
  write_file(folder / "a.txt", text);
  TokenStoreRequest request = request_for(folder, "a.txt");
  const auto bytes_with = [&](int threads) {
    request.threads = threads;
    request.cache_dir = folder / ("cache" + std::to_string(threads));
    return read_file(build_token_store(request)->path());
  };
  const std::string bytes = bytes_with(1);
  CHECK((bytes_with(2) == bytes));
  CHECK((bytes_with(5) == bytes));
}

TEST_CASE("classes are sorted, and validation data uses those of the training data") {
  const TempDir folder;
  write_file(folder / "train.tsv", "a rose\tplant\nan elk\tanimal\nun chêne\tarbre\nan asp\tanimal\n");
  write_file(folder / "valid.tsv", "an oak\tplant\n");
  const auto train = build_token_store(labeled_request(folder, "train.tsv"));
  CHECK(train->classes() == std::vector<std::string>{"animal", "arbre", "plant"});
  CHECK(train->label(0) == 2);
  CHECK(train->label(1) == 0);
  CHECK(train->label(2) == 1);
  CHECK(train->label(3) == 0);

  TokenStoreRequest request = labeled_request(folder, "valid.tsv");
  request.classes = train->classes();
  const auto valid = build_token_store(request);
  CHECK(valid->classes() == train->classes());
  CHECK(valid->label(0) == 2);
}

TEST_CASE("a class that the training data does not have is an error with file and line") {
  const TempDir folder;
  write_file(folder / "valid.tsv", "an oak\tplant\nan elk\tanimals\n");
  TokenStoreRequest request = labeled_request(folder, "valid.tsv");
  request.classes = {"animal", "plant"};
  const std::string expected = (folder / "valid.tsv") +
                               ":2: label 'animals' is not among the 2 classes of the training data: animal, "
                               "plant (did you mean 'animal'?)";
  CHECK_THROWS_WITH(build_token_store(request), expected);
  CHECK(files_in(request.cache_dir) == 0);
}

TEST_CASE("a progress callback that throws stops the build and leaves no file") {
  const TempDir folder;
  write_file(folder / "a.txt", "one\ntwo\n");
  const TokenStoreRequest request = request_for(folder, "a.txt");
  CHECK_THROWS_WITH(
      build_token_store(request, [](std::string_view, double) { throw std::runtime_error("stop"); }), "stop");
  CHECK(files_in(request.cache_dir) == 0);
}
