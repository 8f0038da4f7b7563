// WordPiece, byte-level BPE and unigram vocabularies that are trained here, and segmentations side by side.
#include <functional>

#include "io/json.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/files.h"
#include "tokenizer/compare.h"
#include "tokenizer/published/train/train.h"
#include "tokenizer/tokenizer.h"

using namespace lmzoo;
using lmzoo::test::read_file;
using lmzoo::test::TempDir;
using lmzoo::test::write_file;
using test::error_of;

namespace {

std::string corpus_text() {
  std::string text;
  for (int i = 0; i < 40; ++i) {
    text += "the tasty embedding of a tasty word is learned, and the transformer learns embeddings " +
            std::to_string(i) + " times.\nA caf\u00E9 at the lake: taste it!\n";
  }
  return text;
}

}  // namespace

TEST_CASE("merges are learned from the most frequent pair on, ties by the older pieces") {
  const std::vector<huggingface::CountedWord> words{{"abab", 3}, {"ab", 2}, {"ba", 1}};
  const auto trained = huggingface::train_merges(words, {.alphabet = {"a", "b"}, .size = 5}, {});
  CHECK(trained.pieces == std::vector<std::string>{"a", "b", "ab", "abab"});
  REQUIRE(trained.merges.size() == 2);
  CHECK(trained.merges[0] == std::pair<std::string, std::string>{"a", "b"});
  CHECK(trained.merges[1] == std::pair<std::string, std::string>{"ab", "ab"});
  const auto prefixed = huggingface::train_merges({{"aaa", 5}}, {.prefix = "##", .size = 4}, {});
  CHECK(prefixed.pieces == std::vector<std::string>{"##a", "a", "##aa", "aaa"});
}

TEST_CASE("trained pipelines have the ids of every tokenizer made here, and the same bytes each time") {
  TempDir dir;
  write_file(dir / "corpus.txt", corpus_text());
  const TextOptions corpus{.files = {dir / "corpus.txt"}};
  for (const TokenizerType type :
       {TokenizerType::word_piece, TokenizerType::byte_bpe, TokenizerType::unigram}) {
    TokenizerOptions options{.type = type,
                             .vocab_size = type == TokenizerType::byte_bpe     ? 330
                                           : type == TokenizerType::word_piece ? 90
                                                                               : 66,
                             .sentinels = 10};
    options.byte_fallback = type != TokenizerType::unigram;
    INFO(name_of(type));
    const auto tokenizer = make_tokenizer(options, corpus, dir / "cache");
    CHECK(tokenizer->vocabulary() == planned_vocabulary(options));
    CHECK(tokenizer->vocabulary().size == *options.vocab_size);
    CHECK(tokenizer->piece(6) == "[MASK]");
    CHECK(tokenizer->encode_marked("<extra_id_0>").back() == *options.vocab_size - 1);
    CHECK(make_tokenizer(options, corpus, "")->fingerprint() == tokenizer->fingerprint());
    CHECK(find_tokenizer(options, corpus, dir / "cache")->fingerprint() == tokenizer->fingerprint());
    tokenizer->save(dir / "saved");
    CHECK(load_tokenizer(dir / "saved")->fingerprint() == tokenizer->fingerprint());
    const auto ids = tokenizer->encode("the tasty word");
    CHECK(ids.size() < 14);
    CHECK(tokenizer->decode(ids) == "the tasty word");
    CHECK(tokenizer->with_specials(ids).ids.front() == 4);
    const Encoding encoding = tokenizer->encode_with_offsets("the tasty word");
    CHECK(encoding.ids == ids);
    CHECK(encoding.end.back() == 14);
  }
}

TEST_CASE("impossible options of trained pipelines are refused") {
  TempDir dir;
  write_file(dir / "corpus.txt", corpus_text());
  const TextOptions corpus{.files = {dir / "corpus.txt"}};
  const auto said = [&](const TokenizerOptions& options) {
    return error_of([&] { make_tokenizer(options, corpus, ""); });
  };
  CHECK(said({.type = TokenizerType::byte_bpe, .vocab_size = 200}).find("legal is 363 or more") !=
        std::string::npos);
  CHECK(said({.type = TokenizerType::word_piece, .vocab_size = 50'000})
            .find("more than this corpus has pieces for") != std::string::npos);
  CHECK(said({.type = TokenizerType::byte_bpe, .lower = false}).find("lower has no effect there") !=
        std::string::npos);
  CHECK(said({.type = TokenizerType::pretrained}).find("needs path") != std::string::npos);
  CHECK(said({.type = TokenizerType::pretrained, .path = dir / "nowhere"}).find("has no tokenizer") !=
        std::string::npos);
}

TEST_CASE("compare shows the merges of a word and its other segmentations") {
  TempDir dir;
  write_file(dir / "corpus.txt", corpus_text());
  const auto tokenizers = train_to_compare(dir / "corpus.txt", 320);
  const auto words = compare_segmentations("taaaasty embeddings", tokenizers);
  REQUIRE(words.size() == 2);
  for (const WordComparison& word : words) {
    REQUIRE(word.ways.size() == 4);
    CHECK(word.ways[0].way == "bpe");
    CHECK(word.ways[1].way == "longest match");
    CHECK(word.ways[2].way == "wordpiece");
    CHECK(word.ways[3].way == "unigram");
    // Every merge takes one piece away; the last state is the segmentation by rank.
    CHECK(word.ways[0].pieces.size() == word.characters.size() - word.merges.size());
    if (!word.merges.empty()) {
      CHECK(word.merges.back().pieces == word.ways[0].pieces);
    }
    std::string joined;
    for (const std::string& piece : word.ways[1].pieces) {
      joined += piece;
    }
    CHECK(joined == word.word);
  }
  CHECK(words[0].characters.size() == 8);
}
