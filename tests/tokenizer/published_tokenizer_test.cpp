// Tokenizers of published checkpoints against what Hugging Face made of the same folders and texts
// (tests/golden/published_tokenizers.py).
#include <cstdio>

#include "io/files.h"
#include "io/json.h"
#include "support/catch.h"
#include "support/files.h"
#include "tokenizer/published/pieces/scores.h"
#include "tokenizer/published/published.h"
#include "tokenizer/published_summary.h"

using namespace lmzoo;
using lmzoo::test::golden;
using lmzoo::test::summary_of;
using lmzoo::test::TempDir;

namespace {

using Ids = std::vector<int64_t>;

std::string folder_of(const std::string& name) { return golden("tokenizer_folders/" + name); }

std::string crc32_hex(const std::string& text) {
  char hex[16];
  std::snprintf(hex, sizeof hex, "%08x", crc32(as_bytes(text)));
  return hex;
}

}  // namespace

TEST_CASE("published tokenizers: ids, offsets, frames and decoded text are Hugging Face's on hostile texts") {
  const Json all = read_json(folder_of("expected.json"));
  REQUIRE(all["expected"].size() == 12);
  for (const auto& [name, expected] : all["expected"].items()) {
    INFO(name);
    const auto tokenizer = load_huggingface_tokenizer(folder_of(name));
    size_t i = 0;
    for (const Json& text : all["texts"]) {
      INFO("text " << i << ": " << text);
      const std::string line = summary_of(*tokenizer, text.get<std::string>());
      if (i < expected["shown"].size()) {
        CHECK(line == expected["shown"][i].get<std::string>());
      }
      CHECK(crc32_hex(line) == expected["crc32"][i].get<std::string>());
      // Without offsets the ids come by another path.
      CHECK(tokenizer->encode_marked(text.get<std::string>()) ==
            tokenizer->encode_marked_with_offsets(text.get<std::string>()).ids);
      ++i;
    }
  }
}

TEST_CASE("published tokenizers: a saved one gives the same ids, and is a tokenizer.json") {
  for (const char* name : {"bert_files", "gpt2_files", "gpt1_files", "t5_files", "llama_files", "qwen2"}) {
    INFO(name);
    TempDir dir;
    const auto tokenizer = load_huggingface_tokenizer(folder_of(name));
    tokenizer->save(dir / "saved");
    CHECK(std::filesystem::exists(dir / "saved/tokenizer.json"));
    const auto loaded = load_tokenizer(dir / "saved");
    const std::string text = "Embeddings of <extra_id_0> words [MASK]: \u00E9t\u00E9 \u6211 <|endoftext|>";
    CHECK(loaded->encode_marked(text) == tokenizer->encode_marked(text));
    CHECK(loaded->vocabulary() == tokenizer->vocabulary());
    CHECK(loaded->fingerprint() == tokenizer->fingerprint());
  }
}

TEST_CASE("published tokenizers: special tokens have their roles, and are text unless marked") {
  const auto bert = load_huggingface_tokenizer(folder_of("bert_files"));
  CHECK(bert->vocabulary().pad == 0);
  CHECK(bert->vocabulary().unk == 1);
  CHECK(bert->vocabulary().cls == 2);
  CHECK(bert->vocabulary().sep == 3);
  CHECK(bert->vocabulary().mask == 4);
  CHECK_FALSE(bert->vocabulary().eos);
  CHECK(bert->encode_marked("[MASK]") == Ids{4});
  for (const int64_t id : bert->encode("[MASK] [CLS]")) {
    CHECK_FALSE(bert->vocabulary().is_special(id));
  }
  CHECK(bert->piece(4) == "[MASK]");
  CHECK(bert->id_of("[MASK]") == 4);

  const auto t5 = load_huggingface_tokenizer(folder_of("t5_files"));
  const Vocabulary& vocabulary = t5->vocabulary();
  REQUIRE(vocabulary.sentinels.size() == 100);
  CHECK(vocabulary.sentinels[0] == vocabulary.size - 1);
  CHECK(vocabulary.sentinels[99] == vocabulary.size - 100);
  CHECK(vocabulary.eos == 1);
  CHECK(t5->with_specials(Ids{7, 8}).ids == Ids{7, 8, 1});
  CHECK(t5->encode_marked("<extra_id_0>") == Ids{vocabulary.size - 1});
}

TEST_CASE("published tokenizers: a pair has the frame and the segments of its checkpoint") {
  const auto bert = load_huggingface_tokenizer(folder_of("bert"));
  const Ids first{10, 11}, second{12};
  const FramedText pair = bert->with_specials(first, std::span<const int64_t>(second));
  CHECK(pair.ids == Ids{2, 10, 11, 3, 12, 3});
  CHECK(pair.token_types == Ids{0, 0, 0, 0, 1, 1});
  CHECK(pair.first == 1);
  CHECK(pair.second == 4);
  const auto roberta = load_huggingface_tokenizer(folder_of("roberta_prefix"));
  const FramedText joined = roberta->with_specials(first, std::span<const int64_t>(second));
  CHECK(joined.ids == Ids{0, 10, 11, 2, 2, 12, 2});
  CHECK(joined.token_types == Ids(7, 0));
  CHECK(joined.second == 5);
  CHECK(roberta->with_specials(first).second == 4);
}

TEST_CASE("published tokenizers: offsets are bytes of whole characters") {
  const auto gpt2 = load_huggingface_tokenizer(folder_of("gpt2_files"));
  const std::string text = "a\U0001F642";
  const Encoding encoding = gpt2->encode_with_offsets(text);
  REQUIRE(encoding.ids.size() >= 2);
  CHECK(encoding.begin.front() == 0);
  CHECK(encoding.end.front() == 1);
  for (size_t i = 1; i < encoding.ids.size(); ++i) {
    CHECK(encoding.begin[i] == 1);
    CHECK(encoding.end[i] == 5);
  }
}

TEST_CASE("published tokenizers: nothing, spaces and broken bytes have ids or none, and no crash") {
  for (const char* name : {"bert", "gpt2_files", "gpt1_files", "llama", "t5_files", "misc"}) {
    const auto tokenizer = load_huggingface_tokenizer(folder_of(name));
    CHECK(tokenizer->encode("").empty());
    tokenizer->encode(" \n\t ");
    tokenizer->encode(std::string("\xFF\xC0\x80\0x", 5));
    CHECK(tokenizer->encode(std::string(200'000, 'x')).size() >= 1);
    const Encoding encoding = tokenizer->encode_with_offsets("\xFF word");
    CHECK(encoding.begin.size() == encoding.ids.size());
  }
}

// The first three as `tokenizers` 0.22 writes them again after it read the left ones.
TEST_CASE("published tokenizers: scores have the last bit that Hugging Face reads") {
  using huggingface::score_as_read;
  CHECK(score_as_read(-3.6562416553497314) == -3.656241655349731);
  CHECK(score_as_read(-7.6229329109191895) == -7.622932910919189);
  CHECK(score_as_read(-7.6362786293029785) == -7.636278629302979);
  for (const double same : {0.0, -1.5, -10.0, -1e-7, 1e9, -12.345678}) {
    CHECK(score_as_read(same) == same);
  }
  Json trained = parse_json(R"({"model": {"vocab": [["a", -3.6562416553497314], ["b", 0], ["c"]]}})", "x");
  Json read = trained;
  huggingface::take_scores_as_read(read);
  CHECK(read["model"]["vocab"][0][1] == -3.656241655349731);
  huggingface::shorten_scores(trained);
  CHECK(trained["model"]["vocab"].dump() == R"([["a",-3.6562417],["b",0],["c"]])");
  huggingface::take_scores_as_read(trained);
  CHECK(trained["model"]["vocab"][0][1] == -3.6562417);
}
