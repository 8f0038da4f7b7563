// Nothing in a published tokenizer's files is trusted: what is not understood or impossible is refused by
// name.
#include <functional>

#include "base/check.h"
#include "io/json.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/mutants.h"
#include "tokenizer/published/published.h"

using namespace lmzoo;
using lmzoo::test::read_file;
using lmzoo::test::TempDir;
using lmzoo::test::write_file;
using test::error_of;

namespace {

std::string good_folder(const std::string& name) {
  return fmt::format("{}/tests/golden/tokenizer_folders/{}", LMZOO_SOURCE_DIR, name);
}

// What loading says of the tokenizer.json of `name` after `change`.
std::string refusal_of(const std::string& name, const std::function<void(Json&)>& change) {
  TempDir dir;
  Json json = read_json(good_folder(name) + "/tokenizer.json");
  change(json);
  write_file(dir / "tokenizer.json", json.dump());
  return error_of([&] { load_huggingface_tokenizer(dir.path().string()); });
}

std::string refusal_of_file(const std::string& file,
                            const std::string& bytes,
                            const std::string& beside = "") {
  TempDir dir;
  write_file(dir / file, bytes);
  if (!beside.empty()) {
    write_file(dir / "merges.txt", beside);
  }
  return error_of([&] { load_huggingface_tokenizer(dir.path().string()); });
}

}  // namespace

TEST_CASE("a tokenizer.json with parts that are not understood is refused by their names") {
  const auto refuses =
      [](const std::string& name, const std::string& said, const std::function<void(Json&)>& change) {
        const std::string error = refusal_of(name, change);
        INFO(error);
        CHECK(error.find("tokenizer.json: ") != std::string::npos);
        CHECK(error.find(said) != std::string::npos);
        CHECK(error.find('\n') == std::string::npos);
      };
  refuses("bert", "normalizer: the normalizer \"Nmt\"", [](Json& j) {
    j["normalizer"] = Json::object({{"type", "Nmt"}});
  });
  refuses("bert", "the pre-tokenizer \"UnicodeScripts\"", [](Json& j) {
    j["pre_tokenizer"] = Json::object({{"type", "UnicodeScripts"}});
  });
  refuses("bert", "the decoder \"CTC\"", [](Json& j) { j["decoder"] = Json::object({{"type", "CTC"}}); });
  refuses("bert", "the post-processor \"Foo\"", [](Json& j) {
    j["post_processor"] = Json::object({{"type", "Foo"}});
  });
  refuses("bert", "the model \"WordLevel\"", [](Json& j) { j["model"]["type"] = "WordLevel"; });
  refuses("bert", "\"surprise\" is not understood", [](Json& j) { j["surprise"] = 1; });
  refuses("bert", "model: \"beam\" is not understood", [](Json& j) { j["model"]["beam"] = 1; });
  refuses("llama3", "the regular expression", [](Json& j) {
    j["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"] = "(a+)+$";
  });
  refuses("llama3", "dropout must be null", [](Json& j) { j["model"]["dropout"] = 0.1; });
  refuses("bert", "version is not 1.0", [](Json& j) { j["version"] = "2.0"; });
}

TEST_CASE("a tokenizer.json with impossible ids, merges, scores or frames is refused") {
  const auto refuses =
      [](const std::string& name, const std::string& said, const std::function<void(Json&)>& change) {
        const std::string error = refusal_of(name, change);
        INFO(error);
        CHECK(error.find(said) != std::string::npos);
      };
  refuses("bert", "is given twice", [](Json& j) { j["model"]["vocab"]["another"] = 5; });
  refuses("bert", "whole number from 0 to", [](Json& j) { j["model"]["vocab"]["another"] = 4'000'000'000; });
  refuses("bert", "whole number from 0 to", [](Json& j) { j["model"]["vocab"]["another"] = -1; });
  refuses("bert", "whole number from 0 to", [](Json& j) { j["model"]["vocab"]["another"] = 1.5; });
  refuses(
      "bert", "unk_token \"nobody\" is not in vocab", [](Json& j) { j["model"]["unk_token"] = "nobody"; });
  refuses("bert", "has id 77, but another one", [](Json& j) { j["added_tokens"][0]["id"] = 77; });
  refuses("bert", "which is a piece's", [](Json& j) { j["added_tokens"][0]["content"] = "newcomer"; });
  refuses("bert", "content must have 1 to", [](Json& j) { j["added_tokens"][0]["content"] = ""; });
  refuses("bert", "content must have 1 to", [](Json& j) {
    j["added_tokens"][0]["content"] = std::string(5000, 'x');
  });
  refuses("bert", "special_tokens", [](Json& j) { j["post_processor"]["special_tokens"] = Json::object(); });
  refuses("bert", "whole number from 0 to", [](Json& j) {
    j["post_processor"]["special_tokens"]["[CLS]"]["ids"][0] = 1'000'000;
  });
  refuses("bert", "each text must stand in it once", [](Json& j) {
    j["post_processor"]["single"] = Json::array();
  });
  refuses("llama3", "names the piece \"nowhere\"", [](Json& j) {
    j["model"]["merges"].push_back(Json::array({"nowhere", "a"}));
  });
  refuses("llama3", "must be two pieces", [](Json& j) { j["model"]["merges"].push_back("a b c"); });
  refuses("llama3", "must be two pieces", [](Json& j) { j["model"]["merges"].push_back(7); });
  refuses("llama3", "nothing may follow ByteLevel", [](Json& j) {
    j["pre_tokenizer"]["pretokenizers"].push_back(Json::object({{"type", "WhitespaceSplit"}}));
  });
  refuses("misc", "must be [piece, score]", [](Json& j) { j["model"]["vocab"][3] = "piece"; });
  refuses("misc", "a number within", [](Json& j) { j["model"]["vocab"][3][1] = -1e300; });
  refuses("misc", "is given twice", [](Json& j) { j["model"]["vocab"][3][0] = j["model"]["vocab"][4][0]; });
  refuses("misc", "unk_id", [](Json& j) { j["model"]["unk_id"] = 100'000; });
  refuses("misc", "unk_id", [](Json& j) { j["model"].erase("unk_id"); });
  refuses("misc", "precompiled_charsmap", [](Json& j) {
    j["normalizer"] = Json{{"type", "Precompiled"}, {"precompiled_charsmap", "AAAA!"}};
  });
  refuses("misc", "precompiled_charsmap", [](Json& j) {
    j["normalizer"] = Json{{"type", "Precompiled"}, {"precompiled_charsmap", "AAEAAAAA"}};
  });
}

TEST_CASE("older files of published tokenizers are refused by file and line") {
  CHECK(refusal_of_file("vocab.txt", "[UNK]\n[CLS]\na\na\n")
            .find("vocab.txt:4: the piece \"a\" is given twice") != std::string::npos);
  CHECK(refusal_of_file("vocab.txt", "a\nb\n").find("unk_token \"[UNK]\" is not in vocab") !=
        std::string::npos);
  CHECK(refusal_of_file("vocab.txt", "[UNK]\n\xFF\n").find("vocab.txt:2:1: is not UTF-8") !=
        std::string::npos);
  CHECK(refusal_of_file("vocab.txt", "").find("vocab") != std::string::npos);
  CHECK(refusal_of_file("vocab.json", "{\"a\": 0, \"b\": 1}", "#version: 0.2\na b\n")
            .find("\"ab\", which is not in vocab") != std::string::npos);
  CHECK(refusal_of_file("vocab.json", "{\"a\": 0, \"ab\": 1}", "a b c\n")
            .find("merges.txt:1: must be two pieces") != std::string::npos);
  CHECK(refusal_of_file("vocab.json", "{\"a\": \"x\"}", "a b\n").find("must have an id") !=
        std::string::npos);
  CHECK(refusal_of_file("spiece.model", "no model").find("spiece.model") != std::string::npos);
  TempDir empty;
  CHECK(error_of([&] {
          load_huggingface_tokenizer(empty.path().string());
        }).find("has no tokenizer: none of") != std::string::npos);
}

TEST_CASE("damaged tokenizer files give a tokenizer or an InputError, nothing else") {
  std::mt19937_64 random(5);
  for (const auto& [name, file] : {std::pair{"bert", "tokenizer.json"},
                                   {"llama3", "tokenizer.json"},
                                   {"misc", "tokenizer.json"},
                                   {"llama", "tokenizer.json"},
                                   {"t5_files", "spiece.model"},
                                   {"llama_files", "tokenizer.model"},
                                   {"bert_files", "vocab.txt"}}) {
    const std::string good = read_file(good_folder(name) + "/" + file);
    TempDir dir;
    int loaded = 0;
    for (int i = 0; i < 60; ++i) {
      write_file(dir / file, test::mutate(good, random));
      try {
        const auto tokenizer = load_huggingface_tokenizer(dir.path().string());
        tokenizer->encode_marked_with_offsets("Embeddings \u00E9 \u6211 1234 [MASK] \U0001F642\u0301 \r\n x");
        ++loaded;
      } catch (const InputError&) {
      }
    }
    CHECK(loaded < 60);
  }
}
