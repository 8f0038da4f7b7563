// Folders whose files say different things, against what transformers made of them (tests/golden/tokenizer_rules.py), and
// SentencePiece models whose settings are not the usual ones, against libsentencepiece.
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/strings.h"
#include "io/files.h"
#include "io/json.h"
#include "io/protobuf.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/tiny_corpus.h"
#include "tokenizer/published/published.h"
#include "tokenizer/published_summary.h"
#include "tokenizer/sentencepiece/sentencepiece.h"
#include "tokenizer/tokenizer.h"

using namespace lmzoo;
using lmzoo::test::error_of;
using lmzoo::test::golden;
using lmzoo::test::read_file;
using lmzoo::test::summary_of;
using lmzoo::test::TempDir;
using lmzoo::test::write_file;

namespace {

using TokenizerPtr = std::shared_ptr<const Tokenizer>;

std::optional<int64_t> Vocabulary::*role_of(const std::string& key) {
  static const std::map<std::string, std::optional<int64_t> Vocabulary::*> roles{
      {"bos_token", &Vocabulary::bos},
      {"eos_token", &Vocabulary::eos},
      {"unk_token", &Vocabulary::unk},
      {"sep_token", &Vocabulary::sep},
      {"pad_token", &Vocabulary::pad},
      {"cls_token", &Vocabulary::cls},
      {"mask_token", &Vocabulary::mask}};
  return roles.at(key);
}

// A folder of tests/golden/tokenizer_folders with other files beside its vocabulary.
void make_rules_folder(const TempDir& dir, const std::string& base, const Json& files) {
  std::filesystem::copy(
      golden("tokenizer_folders/" + base),
      dir.path(),
      std::filesystem::copy_options::recursive | std::filesystem::copy_options::overwrite_existing);
  std::filesystem::remove(dir / "tokenizer_config.json");
  for (const auto& [name, content] : files.items()) {
    write_file(dir / name, content.dump());
  }
}

std::string rules_refusal(const std::string& base, const Json& files) {
  TempDir dir;
  make_rules_folder(dir, base, files);
  return error_of([&] { load_huggingface_tokenizer(dir.path().string()); });
}

Json by_class(const char* name) {
  return Json::object({{"tokenizer_config.json", Json::object({{"tokenizer_class", name}})}});
}

void check_as_expected(const Tokenizer& tokenizer, const Json& texts, const Json& expected) {
  for (size_t i = 0; i < texts.size(); ++i) {
    INFO("text " << texts[i]);
    CHECK(summary_of(tokenizer, texts[i].get<std::string>()) == expected["lines"][i].get<std::string>());
  }
  for (const auto& [key, name] : expected["roles"].items()) {
    INFO(key);
    const std::optional<int64_t> id = tokenizer.vocabulary().*role_of(key);
    REQUIRE(id);
    CHECK(tokenizer.piece(*id) == name.get<std::string>());
  }
}

// The bytes of a SentencePiece model with another value of a flag of its normalizer (sentencepiece_model.proto).
std::string with_flag(const std::string& bytes, uint32_t flag, bool value) {
  constexpr uint32_t kNormalizer = 3;
  std::string changed;
  ProtoReader model(bytes, 0, "model");
  for (ProtoField field; model.next(field);) {
    if (field.number != kNormalizer) {
      append_bytes_field(changed, field.number, field.bytes);
      continue;
    }
    std::string normalizer;
    ProtoReader inside = model.inside(field);
    for (ProtoField part; inside.next(part);) {
      if (part.number == flag) {
        continue;
      }
      if (part.type == WireType::bytes) {
        append_bytes_field(normalizer, part.number, part.bytes);
      } else {
        append_varint_field(normalizer, part.number, part.value);
      }
    }
    append_varint_field(normalizer, flag, value ? 1 : 0);
    append_bytes_field(changed, kNormalizer, normalizer);
  }
  return changed;
}

std::string trained_model(PieceAlgorithm algorithm, Normalization normalization) {
  TempDir dir;
  const TokenizerPtr tokenizer = make_tokenizer(
      {.algorithm = algorithm, .vocab_size = 480, .character_coverage = 1.0, .normalization = normalization},
      test::tiny_corpus(dir),
      "");
  tokenizer->save(dir / "saved");
  for (const auto& entry : std::filesystem::directory_iterator(dir / "saved")) {
    if (entry.path().extension() == ".model") {
      return read_file(entry.path().string());
    }
  }
  return "";
}

}  // namespace

TEST_CASE("folders of several files are read by transformers' rule, and a saved one says the same alone") {
  const Json all = read_json(golden("tokenizer_rules.json"));
  REQUIRE(all["cases"].size() > 50);
  for (const Json& expected : all["cases"]) {
    INFO(expected["name"] << " on " << expected["base"] << ": " << expected["files"]);
    TempDir dir;
    make_rules_folder(dir, expected["base"].get<std::string>(), expected["files"]);
    if (expected.contains("refused")) {  // a file gives a token an id that it cannot have
      CHECK(error_of([&] {
              load_huggingface_tokenizer(dir.path().string());
            }).find("but Hugging Face's tokenizers give it") != std::string::npos);
      continue;
    }
    const auto tokenizer = load_huggingface_tokenizer(dir.path().string());
    check_as_expected(*tokenizer, all["texts"], expected);
    tokenizer->save(dir / "saved");
    const auto again = load_tokenizer(dir / "saved");
    check_as_expected(*again, all["texts"], expected);
    CHECK(again->vocabulary() == tokenizer->vocabulary());
    CHECK(again->fingerprint() == tokenizer->fingerprint());
  }
}

TEST_CASE("roles that no file of a folder names are those of the usual names and of the frame") {
  TempDir dir;
  make_rules_folder(dir, "roberta_prefix", Json::object());
  const auto tokenizer = load_huggingface_tokenizer(dir.path().string());
  const Vocabulary& vocabulary = tokenizer->vocabulary();
  CHECK(vocabulary.bos == 0);
  CHECK(vocabulary.cls == 0);
  CHECK(vocabulary.pad == 1);
  CHECK(vocabulary.sep == 2);
  CHECK(vocabulary.mask == 4);
}

TEST_CASE("what the files of a published tokenizer say and cannot be honored is refused by name") {
  const auto refuses = [](const std::string& base, const Json& files, const std::string& said) {
    const std::string error = rules_refusal(base, files);
    INFO(error);
    CHECK(error.find(said) != std::string::npos);
    CHECK(error.find('\n') == std::string::npos);
  };
  refuses("bert_files",
          by_class("BertJapaneseTokenizer"),
          "tokenizer_config.json: tokenizer_class \"BertJapaneseTokenizer\" cuts text by rules of its own");
  refuses("bert", by_class("BertJapaneseTokenizer"), "cuts text by rules of its own");
  refuses("bert_files", by_class("GPT2Tokenizer"), "known are BertTokenizer, MPNetTokenizer");
  refuses("gpt2_files",
          by_class("BertTokenizer"),
          "known are GPT2Tokenizer, OpenAIGPTTokenizer, RobertaTokenizer");
  refuses("llama_files",
          by_class("T5Tokenizer"),
          "for a BPE model without a tokenizer.json; known is LlamaTokenizer");
  refuses("t5_files", by_class("LlamaTokenizer"), "known are T5Tokenizer, XLMRobertaTokenizer");
  refuses("misc",
          by_class("BertTokenizer"),
          "BertTokenizer of tokenizer_config.json or config.json needs WordPiece");
  refuses("bert",
          Json::object({{"added_tokens.json", Json::object({{"<URL>", 7}})}}),
          "added_tokens.json: \"<URL>\" has id 7, but Hugging Face's tokenizers give it 385");
  refuses("bert", Json::object({{"added_tokens.json", Json::object({{"<URL>", "x"}})}}), "must have an id");
  refuses("bert",
          Json::object({{"tokenizer_config.json", Json::object({{"pad_token", 7}})}}),
          "tokenizer_config.json: pad_token must be a token");
  refuses("bert",
          Json::object({{"tokenizer_config.json", Json::object({{"split_special_tokens", true}})}}),
          "split_special_tokens: true is not understood here");
  Json no_mask = by_class("BertTokenizer");
  no_mask["tokenizer_config.json"]["cls_token"] = nullptr;
  refuses("bert", no_mask, "cls_token is null, but the frame of BertTokenizer needs it");
}

TEST_CASE("a folder with a SentencePiece model has that model's ids, whatever its settings for spaces") {
  constexpr uint32_t kDummyPrefix = 3, kExtraSpaces = 4;
  const std::vector<std::string> texts{
      "the quick brown fox", "the  dog   sees a cat. ", "\uFF21\uFF22 \uFB01ne 12"};
  for (const PieceAlgorithm algorithm : {PieceAlgorithm::bpe, PieceAlgorithm::unigram}) {
    for (const Normalization rules : {Normalization::nmt_nfkc, Normalization::identity}) {
      const std::string trained = trained_model(algorithm, rules);
      for (const auto& [prefix, removes] :
           {std::pair(true, true), {true, false}, {false, true}, {false, false}}) {
        INFO(name_of(algorithm) << " " << name_of(rules) << " add_dummy_prefix " << prefix
                                << " remove_extra_whitespaces " << removes);
        const std::string model = with_flag(with_flag(trained, kDummyPrefix, prefix), kExtraSpaces, removes);
        TempDir dir;
        write_file(dir / "tokenizer.model", model);
        const auto read = load_huggingface_tokenizer(dir.path().string());
        const auto right =
            make_sentencepiece_tokenizer(model, {.sentinels = 0, .add_specials = false}, "model");
        read->save(dir / "saved");
        const auto saved = load_tokenizer(dir / "saved");
        for (const std::string& text : texts) {
          INFO(text);
          CHECK(read->encode(text) == right->encode(text));
          CHECK(saved->encode(text) == right->encode(text));
        }
      }
    }
  }
}

TEST_CASE("settings of a SentencePiece model that no tokenizer.json can hold are refused by name") {
  constexpr uint32_t kEscapeWhitespaces = 5;
  TempDir dir;
  const std::string trained = trained_model(PieceAlgorithm::bpe, Normalization::identity);
  write_file(dir / "tokenizer.model", with_flag(trained, kEscapeWhitespaces, false));
  CHECK(error_of([&] {
          load_huggingface_tokenizer(dir.path().string());
        }).find("tokenizer.model: a model with escape_whitespaces: false is not understood here") !=
        std::string::npos);
}
