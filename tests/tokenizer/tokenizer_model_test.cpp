// SentencePiece models from elsewhere: which ids they keep, what is added, what is refused.
#include <functional>
#include <utility>
#include <vector>

#include "io/protobuf.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/files.h"
#include "tokenizer/tokenizer.h"

using namespace lmzoo;
using lmzoo::test::TempDir;
using lmzoo::test::write_file;
using test::error_of;

namespace {

using Ids = std::vector<int64_t>;

// A model file as another trainer might leave it: T5's layout of the first ids, `own` pieces at the end.
std::string small_model(const std::vector<std::pair<std::string, int>>& own) {
  std::string model;
  const auto add = [&](const std::string& piece, float score, int type) {
    std::string message;
    append_bytes_field(message, 1, piece);
    append_float_field(message, 2, score);
    append_varint_field(message, 3, static_cast<uint64_t>(type));
    append_bytes_field(model, 1, message);
  };
  add("<pad>", 0, 3);
  add("</s>", 0, 3);
  add("<unk>", 0, 2);
  add("\u2581", -2, 1);
  for (const char* piece : {"a",
                            "b",
                            "[",
                            "]",
                            "M",
                            "A",
                            "S",
                            "K",
                            "\u2581"
                            "a"}) {
    add(piece, -3, 1);
  }
  for (const auto& [piece, type] : own) {
    add(piece, 0, type);
  }
  return model;
}

}  // namespace

TEST_CASE("a model from elsewhere keeps its ids; what it lacks follows, sentinels first as in T5") {
  const TempDir dir;
  const std::string path = dir / "spiece.model";
  write_file(path, small_model({}));
  const auto tokenizer = make_tokenizer({.model = path}, {}, "");
  const Vocabulary& v = tokenizer->vocabulary();
  CHECK((v.pad == 0 && v.eos == 1 && v.unk == 2));
  CHECK(v.sentinels.front() == 13 + 99);
  CHECK(v.sentinels.back() == 13);
  CHECK(v.bos == 113);
  CHECK(v.cls == 114);
  CHECK(v.sep == 115);
  CHECK(v.mask == 116);
  CHECK(v.size == 117);
  CHECK(tokenizer->encode("a ab") == Ids{12, 12, 5});

  const auto bare = make_tokenizer({.model = path, .sentinels = 0, .add_specials = false}, {}, "");
  CHECK(bare->vocabulary().size == 13);
  CHECK_FALSE(bare->vocabulary().mask);
  CHECK(error_of([&] { make_tokenizer({.model = path, .vocab_size = 100}, {}, ""); }) ==
        "tokenizer.vocab_size is 100, but " + path + " with 100 sentinels has exactly 117");
  CHECK(error_of([&] { make_tokenizer({.model = path, .algorithm = PieceAlgorithm::bpe}, {}, ""); }) ==
        "tokenizer: an existing model is not trained; algorithm has no effect there: leave it out");
}

TEST_CASE("special tokens that a model defines as text are not read from text") {
  const TempDir dir;
  const std::string path = dir / "spiece.model";
  constexpr int kUserDefined = 4;
  write_file(
      path,
      small_model({{"[MASK]", kUserDefined}, {"\u2581<extra_id_0>", kUserDefined}, {"ba", kUserDefined}}));
  const auto tokenizer = make_tokenizer({.model = path}, {}, "");
  CHECK(tokenizer->vocabulary().mask == 13);
  CHECK(tokenizer->vocabulary().sentinels == Ids{14});
  CHECK(tokenizer->encode("[MASK]") == Ids{3, 6, 8, 9, 10, 11, 7});
  CHECK(tokenizer->encode_marked("[MASK]") == Ids{13});
  CHECK(tokenizer->encode("aba") == Ids{12, 15});  // other user-defined pieces stay what they are
  tokenizer->save(dir / "saved");
  CHECK(load_tokenizer(dir / "saved")->encode("[MASK]") == tokenizer->encode("[MASK]"));
}

TEST_CASE("a missing or damaged model is refused before libsentencepiece sees it") {
  const TempDir dir;
  const std::string path = dir / "spiece.model";
  CHECK_THAT(error_of([&] { make_tokenizer({.model = path}, {}, ""); }), Catch::Contains(path));
  const std::string good = small_model({});
  for (const size_t size : {size_t{0}, good.size() / 2, good.size() - 1}) {
    write_file(path, good.substr(0, size));
    CHECK_THAT(error_of([&] { make_tokenizer({.model = path}, {}, ""); }), Catch::Contains(path));
  }
}
