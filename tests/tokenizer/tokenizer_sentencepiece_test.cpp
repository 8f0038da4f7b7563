// Trained SentencePiece tokenizers: ids, round trips, hostile text, special tokens in prompts.
#include <algorithm>
#include <atomic>
#include <map>
#include <thread>

#include "support/catch.h"
#include "support/files.h"
#include "support/tiny_corpus.h"
#include "tokenizer/tokenizer.h"

using namespace lmzoo;
using lmzoo::test::TempDir;

namespace {

using Ids = std::vector<int64_t>;
using TokenizerPtr = std::shared_ptr<const Tokenizer>;

// Trained once for all tests of this file.
TokenizerPtr trained(PieceAlgorithm algorithm, bool byte_fallback = true) {
  static std::map<std::pair<PieceAlgorithm, bool>, TokenizerPtr> made;
  TokenizerPtr& tokenizer = made[{algorithm, byte_fallback}];
  if (!tokenizer) {
    const TempDir dir;
    tokenizer = make_tokenizer({.algorithm = algorithm,
                                .vocab_size = byte_fallback ? 480 : 225,
                                .byte_fallback = byte_fallback,
                                .character_coverage = 1.0},
                               test::tiny_corpus(dir),
                               "");
  }
  return tokenizer;
}

}  // namespace

TEST_CASE("a trained tokenizer has T5's ids first and last, and exactly vocab_size of them") {
  for (const auto algorithm : {PieceAlgorithm::unigram, PieceAlgorithm::bpe}) {
    const TokenizerPtr tokenizer = trained(algorithm);
    const Vocabulary& v = tokenizer->vocabulary();
    CHECK(v.size == 480);
    CHECK((v.pad == 0 && v.eos == 1 && v.unk == 2 && v.bos == 3));
    CHECK((v.cls == 4 && v.sep == 5 && v.mask == 6));
    REQUIRE(v.sentinels.size() == 100);
    for (int64_t i = 0; i < 100; ++i) {
      CHECK(v.sentinels[static_cast<size_t>(i)] == 479 - i);
    }
    CHECK(tokenizer->piece(479) == "<extra_id_0>");
    CHECK(tokenizer->piece(380) == "<extra_id_99>");
    CHECK(tokenizer->piece(7) == "<0x00>");
    CHECK(tokenizer->id_of("[MASK]") == 6);
    CHECK_FALSE(tokenizer->id_of("nothing like a piece"));
    for (int64_t id = 0; id < v.size; ++id) {
      CHECK(tokenizer->id_of(tokenizer->piece(id)) == id);
    }
  }
}

TEST_CASE("words of the corpus are few pieces, and decoding gives the normalized text") {
  for (const auto algorithm : {PieceAlgorithm::unigram, PieceAlgorithm::bpe}) {
    const TokenizerPtr tokenizer = trained(algorithm);
    CHECK(tokenizer->encode("the quick brown fox").size() <= 14);  // 19 characters
    const std::pair<const char*, const char*> examples[] = {
        {"the dog sees a cat.", "the dog sees a cat."},
        {"  spaces \t and\nlines  ", "spaces and lines"},
        {"\uFB01ne \u2460 \uFF21\uFF22", "fine 1 AB"},  // compatibility forms: NFKC
        {"e\u0301", "\u00E9"},                          // composed
        {"caf\u00E9 \u4E16\u754C \U0001F600",
         "caf\u00E9 \u4E16\u754C \U0001F600"},  // not in the corpus: bytes
        {"{x} \\ \"q\" ~", "{x} \\ \"q\" ~"},
        {"", ""},
        {" \n ", ""}};
    for (const auto& [text, normalized] : examples) {
      CHECK(tokenizer->decode(tokenizer->encode(text)) == normalized);
      CHECK(tokenizer->decode(tokenizer->encode(normalized)) == normalized);
    }
  }
}

TEST_CASE("frequent words are one piece, which begins with the space before them") {
  const TokenizerPtr tokenizer = trained(PieceAlgorithm::bpe);
  const Ids ids = tokenizer->encode("see the");
  CHECK(tokenizer->id_of("\u2581the") == ids.back());
  CHECK(show(*tokenizer, ids).back().piece == "\u2581the");
}

TEST_CASE("without byte_fallback an unknown character is the unknown token") {
  const TokenizerPtr tokenizer = trained(PieceAlgorithm::unigram, false);
  const Ids ids = tokenizer->encode("a \u4E16\u754C b");
  CHECK(std::count(ids.begin(), ids.end(), *tokenizer->vocabulary().unk) == 1);
  CHECK_THAT(tokenizer->decode(ids), Catch::Contains("\u2047"));
}

TEST_CASE("hostile bytes encode, give no special id, and decode to a fixed point") {
  uint64_t state = 12345;
  const auto next = [&] {
    return static_cast<unsigned>((state = state * 6364136223846793005 + 1442695040888963407) >> 40);
  };
  const char* parts[] = {
      "[MASK]", "</s>", "<extra_id_0>", "<s>", "<unk>", "\u2581", "dog ", "\u4E16", "<0x41>", "\t", "\uE000"};
  for (const auto& tokenizer : {trained(PieceAlgorithm::unigram),
                                trained(PieceAlgorithm::bpe),
                                trained(PieceAlgorithm::unigram, false),
                                trained(PieceAlgorithm::bpe, false)}) {
    const int64_t unk = *tokenizer->vocabulary().unk;
    for (int round = 0; round < 300; ++round) {
      std::string text;
      for (unsigned i = next() % 40; i > 0; --i) {
        text +=
            next() % 3 == 0 ? std::string(parts[next() % std::size(parts)]) : std::string(1, char(next()));
      }
      const Ids ids = tokenizer->encode(text);
      for (const int64_t id : ids) {
        CHECK_FALSE(tokenizer->vocabulary().is_special(id));
      }
      const std::string once = tokenizer->decode(ids);
      const bool is_lossless = std::find(ids.begin(), ids.end(), unk) == ids.end();
      CHECK((!is_lossless || tokenizer->decode(tokenizer->encode(once)) == once));
      tokenizer->encode_marked(text);
    }
    Ids every(static_cast<size_t>(tokenizer->vocabulary().size));
    for (size_t i = 0; i < every.size(); ++i) {
      every[i] = static_cast<int64_t>(i);
    }
    CHECK_FALSE(tokenizer->decode(every).empty());
  }
}

TEST_CASE("encode_marked takes special tokens, and text after one goes on as it stands") {
  for (const auto& tokenizer : {trained(PieceAlgorithm::unigram),
                                trained(PieceAlgorithm::bpe),
                                trained(PieceAlgorithm::unigram, false)}) {
    const auto& v = tokenizer->vocabulary();
    const auto joined_ids = [&](std::initializer_list<Ids> parts) {
      Ids all;
      for (const Ids& part : parts) {
        all.insert(all.end(), part.begin(), part.end());
      }
      return all;
    };
    // A space makes a new word; none goes on the old one.
    CHECK(tokenizer->encode_marked("the <extra_id_0> dog") ==
          joined_ids({tokenizer->encode("the"), {v.sentinels[0]}, tokenizer->encode("dog")}));
    const Ids inside = tokenizer->encode_marked("un[MASK]usual");
    const auto after = std::find(inside.begin(), inside.end(), *v.mask);
    REQUIRE(after + 1 < inside.end());
    CHECK_FALSE(tokenizer->piece(*(after + 1)).starts_with("\u2581"));
    for (const char* text : {"the <extra_id_0> dog, <extra_id_1>",
                             "[CLS] the dog [SEP]",
                             "an [MASK], a <extra_id_7>.",
                             "[MASK] [MASK] </s>"}) {
      CHECK(tokenizer->decode(tokenizer->encode_marked(text), Specials::show) == text);
    }
    CHECK(tokenizer->decode(tokenizer->encode_marked("[CLS] the dog [SEP]")) == "the dog");
    CHECK(tokenizer->encode_marked("the dog") == tokenizer->encode("the dog"));
  }
  const TokenizerPtr tokenizer = trained(PieceAlgorithm::unigram, false);
  CHECK(tokenizer->encode_marked("[MASK]\u4E16") == Ids{6, 2});
}

TEST_CASE("keep_spaces with identity normalization keeps text as it is") {
  const TempDir dir;
  const TokenizerPtr tokenizer =
      make_tokenizer({.vocab_size = 480, .normalization = Normalization::identity, .keep_spaces = true},
                     test::tiny_corpus(dir),
                     "");
  for (const char* text : {"  two  and   three ", "if x:\n    return\ty\n", "\uFB01", " ", "a", "the dog"}) {
    CHECK(tokenizer->decode(tokenizer->encode(text)) == text);
  }
  CHECK(tokenizer->decode(tokenizer->encode_marked("a  [MASK]  b"), Specials::show) == "a  [MASK]  b");
}

TEST_CASE("many threads may encode with one tokenizer") {
  const TokenizerPtr tokenizer = trained(PieceAlgorithm::bpe);
  const Ids expected = tokenizer->encode("the quick brown fox jumps over the lazy dog.");
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        wrong += tokenizer->encode("the quick brown fox jumps over the lazy dog.") != expected;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  CHECK(wrong == 0);
}
