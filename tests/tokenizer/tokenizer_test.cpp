// What all tokenizers share, seen at the two that need no training; and what saving and loading promise.
#include "tokenizer/tokenizer.h"

#include <functional>

#include "support/catch.h"
#include "support/errors.h"
#include "support/files.h"
#include "tokenizer/simple_tokenizers.h"

using namespace lmzoo;
using lmzoo::test::TempDir;
using lmzoo::test::write_file;
using test::error_of;

namespace {

using Ids = std::vector<int64_t>;

std::shared_ptr<const Tokenizer> characters_of(const TempDir& dir,
                                               const std::string& text,
                                               TokenizerOptions options = {}) {
  write_file(dir / "corpus.txt", text);
  options.type = TokenizerType::character;
  return make_tokenizer(options, {.files = {dir / "corpus.txt"}}, "");
}

}  // namespace

TEST_CASE("byte: ids are the bytes behind seven special tokens, sentinels descend to the end") {
  const auto bytes = make_tokenizer({.type = TokenizerType::byte}, {}, "");
  const Vocabulary& vocabulary = bytes->vocabulary();
  CHECK(vocabulary.size == 7 + 256 + 100);
  CHECK(vocabulary.pad == 0);
  CHECK(vocabulary.eos == 1);
  CHECK(vocabulary.unk == 2);
  CHECK(vocabulary.bos == 3);
  CHECK(vocabulary.cls == 4);
  CHECK(vocabulary.sep == 5);
  CHECK(vocabulary.mask == 6);
  REQUIRE(vocabulary.sentinels.size() == 100);
  CHECK(vocabulary.sentinels.front() == 362);
  CHECK(vocabulary.sentinels.back() == 263);
  CHECK(bytes->encode("a\n\u00E9") == Ids{7 + 97, 7 + 10, 7 + 0xC3, 7 + 0xA9});
  CHECK(bytes->piece(7 + 97) == "a");
  CHECK(bytes->piece(7 + 10) == "<0x0A>");
  CHECK(bytes->piece(362) == "<extra_id_0>");
}

TEST_CASE("char: the corpus gives the ids, the most frequent first") {
  TempDir dir;
  const auto chars = characters_of(dir, "abba \u00E9\nb\n", {.sentinels = 2});
  CHECK(chars->vocabulary().size == 7 + 4 + 2);
  CHECK(chars->encode("ba \u00E9") == Ids{7, 8, 9, 10});
  CHECK(chars->encode("x") == Ids{2});
  CHECK(chars->decode(Ids{7, 2, 8}) == "b\uFFFDa");
  CHECK(chars->vocabulary().sentinels == Ids{12, 11});
}

TEST_CASE("char: vocab_size keeps the most frequent, within the legal range") {
  TempDir dir;
  const auto chars = characters_of(dir, "aaabbc\n", {.vocab_size = 7 + 2 + 3, .sentinels = 3});
  CHECK(chars->vocabulary().size == 12);
  CHECK(chars->encode("abc") == Ids{7, 8, 2});
  for (const int64_t size : {10, 14}) {
    CHECK(error_of([&] { characters_of(dir, "aaabbc\n", {.vocab_size = size, .sentinels = 3}); }) ==
          "tokenizer.vocab_size is " + std::to_string(size) +
              "; legal is 11 to 13: 10 special tokens and sentinels, and the 3 characters of the corpus");
  }
}

TEST_CASE("encode never gives a special id, encode_marked does") {
  TempDir dir;
  const std::string text = "x [MASK] </s><extra_id_0>";
  for (const auto& tokenizer :
       {make_tokenizer({.type = TokenizerType::byte}, {}, ""), characters_of(dir, text)}) {
    const Vocabulary& v = tokenizer->vocabulary();
    for (const int64_t id : tokenizer->encode(text)) {
      CHECK_FALSE(v.is_special(id));
    }
    CHECK(tokenizer->decode(tokenizer->encode(text)) == text);
    const int64_t x = tokenizer->encode("x")[0];
    const int64_t space = tokenizer->encode(" ")[0];
    const Ids marked{x, space, *v.mask, space, *v.eos, v.sentinels[0]};
    CHECK(tokenizer->encode_marked(text) == marked);
    CHECK(tokenizer->decode(marked, Specials::show) == text);
    CHECK(tokenizer->decode(marked) == "x  ");
  }
}

TEST_CASE("encode_marked tells <extra_id_1> from <extra_id_10> and leaves what only looks like a token") {
  const auto bytes = make_tokenizer({.type = TokenizerType::byte}, {}, "");
  const auto& sentinels = bytes->vocabulary().sentinels;
  CHECK(bytes->encode_marked("<extra_id_10><extra_id_1>") == Ids{sentinels[10], sentinels[1]});
  CHECK(bytes->encode_marked("<extra_id_100>") == bytes->encode("<extra_id_100>"));
  CHECK(bytes->encode_marked("[MASK") == bytes->encode("[MASK"));
  CHECK(bytes->encode_marked("").empty());
}

TEST_CASE("any bytes encode, and any ids decode to UTF-8") {
  const auto bytes = make_tokenizer({.type = TokenizerType::byte}, {}, "");
  CHECK(bytes->decode(bytes->encode(std::string("a\0b\xFF", 4))) == "a\uFFFDb\uFFFD");
  CHECK(bytes->decode(Ids{7 + 0xC3, 7 + 'a', 2}) == "\uFFFDa\uFFFD");
  CHECK(error_of([&] { bytes->decode(Ids{363}); }) ==
        "id 363 is outside the tokenizer's vocabulary [0, 363)");
  CHECK(error_of([&] { bytes->piece(-1); }) == "id -1 is outside the tokenizer's vocabulary [0, 363)");
}

TEST_CASE("id_of is the inverse of piece") {
  TempDir dir;
  for (const auto& tokenizer :
       {make_tokenizer({.type = TokenizerType::byte}, {}, ""), characters_of(dir, "a b\tc\u00E9\n")}) {
    for (int64_t id = 0; id < tokenizer->vocabulary().size; ++id) {
      CHECK(tokenizer->id_of(tokenizer->piece(id)) == id);
    }
    CHECK_FALSE(tokenizer->id_of("no such piece"));
    CHECK_FALSE(tokenizer->id_of(""));
  }
  const auto shown = show(*make_byte_tokenizer(0), Ids{4, 7 + 'x'});
  CHECK(shown[0].piece == "[CLS]");
  CHECK(shown[1].piece == "x");
}

TEST_CASE("a saved tokenizer loads the same, and its fingerprint tells it from others") {
  TempDir dir;
  const auto chars = characters_of(dir, "quick \"brown\" \u00E9\n", {.sentinels = 5});
  chars->save(dir / "saved");
  const auto loaded = load_tokenizer(dir / "saved");
  CHECK(loaded->vocabulary() == chars->vocabulary());
  CHECK(loaded->encode("quick \u00E9 z") == chars->encode("quick \u00E9 z"));
  CHECK(loaded->fingerprint() == chars->fingerprint());
  CHECK(make_byte_tokenizer(5)->fingerprint() != make_byte_tokenizer(6)->fingerprint());
  make_byte_tokenizer(3)->save(dir / "bytes");
  CHECK(load_tokenizer(dir / "bytes")->vocabulary().size == 7 + 256 + 3);
}

TEST_CASE("a damaged saved tokenizer is refused with its path") {
  TempDir dir;
  const std::string path = dir / "t/lmzoo_tokenizer.json";
  CHECK_THAT(error_of([&] { load_tokenizer(dir / "t"); }), Catch::Contains(path));
  const auto refusal = [&](const std::string& json) {
    write_file(path, json);
    return error_of([&] { load_tokenizer(dir / "t"); });
  };
  const std::string head = R"({"format": "lmzoo-tokenizer", "version": 1, )";
  CHECK(refusal("[]") == path + ": is not a tokenizer that lmzoo saved");
  CHECK(refusal("{}") == path + ": is not a tokenizer that lmzoo saved");
  CHECK(refusal(R"({"format": "lmzoo-tokenizer", "version": 2})") ==
        path + ": version is not 1, the only one known here");
  CHECK(refusal(head + R"("sentinels": 1})") == path + ": type must be a string");
  CHECK(refusal(head + R"("type": "wordpiece", "sentinels": 1})") ==
        path + ": type is `wordpiece`; known are sentencepiece, byte, char, words");
  CHECK(refusal(head + R"("type": "byte", "sentinels": -1})") == path + ": sentinels must be 0 to 10000");
  CHECK(refusal(head + R"("type": "byte", "sentinels": 1e9})") == path + ": sentinels must be 0 to 10000");
  CHECK(refusal(head + R"("type": "char", "sentinels": 1, "characters": "aba"})") ==
        "character \"a\" is listed twice");
  CHECK_THAT(refusal("{\"format\": "), Catch::StartsWith(path + ":"));
}

TEST_CASE("options without an effect are refused by name") {
  CHECK(error_of([] { make_tokenizer({.type = TokenizerType::byte, .byte_fallback = false}, {}, ""); }) ==
        "tokenizer: type byte needs nothing but sentinels; byte_fallback has no effect there: leave it out");
  CHECK(error_of([] { make_tokenizer({.type = TokenizerType::character, .keep_spaces = true}, {}, ""); }) ==
        "tokenizer: type char takes vocab_size and sentinels; keep_spaces has no effect there: leave it out");
  CHECK(error_of([] { make_tokenizer({.type = TokenizerType::byte, .vocab_size = 300}, {}, ""); }) ==
        "tokenizer.vocab_size is 300, but type byte with 100 sentinels has exactly 363");
}
