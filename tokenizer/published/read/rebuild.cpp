#include "tokenizer/published/read/rebuild.h"

#include <algorithm>

#include "base/check.h"
#include "base/utf8.h"

namespace lmzoo::huggingface {
namespace {

constexpr const char* kSpaceMark = "\xE2\x96\x81";  // ▁

std::string name_of(const std::vector<NamedToken>& named, const char* key) {
  const auto found = std::ranges::find(named, key, &NamedToken::key);
  return found == named.end() ? "" : found->token.content;
}

Json bert_normalizer(const FolderHints& hints) {
  const bool lower = hints.flag("do_lower_case", true);
  return Json{{"type", "BertNormalizer"},
              {"clean_text", true},
              {"handle_chinese_chars", hints.flag("tokenize_chinese_chars", true)},
              {"strip_accents", hints.flag("strip_accents", lower)},
              {"lowercase", lower}};
}

Json of_word_piece(ClassKind kind, Taken taken, const FolderHints& hints) {
  Json json;
  json["normalizer"] = bert_normalizer(hints);
  json["pre_tokenizer"] = Json::object({{"type", "BertPreTokenizer"}});
  json["decoder"] = {{"type", "WordPiece"}, {"prefix", "##"}, {"cleanup", true}};
  json["model"] = {{"type", "WordPiece"},
                   {"unk_token", name_of(named_tokens(kind, hints), "unk_token")},
                   {"continuing_subword_prefix", "##"},
                   {"max_input_chars_per_word", 100},
                   {"vocab", std::move(taken.vocabulary)}};
  return json;
}

Json bpe_model(Json unknown, const char* suffix, Taken taken) {
  return Json{{"type", "BPE"},
              {"unk_token", std::move(unknown)},
              {"continuing_subword_prefix", ""},
              {"end_of_word_suffix", suffix},
              {"fuse_unk", false},
              {"vocab", std::move(taken.vocabulary)},
              {"merges", std::move(taken.merges)}};
}

// GPT-2's and RoBERTa's.
Json of_byte_level(Taken taken, const FolderHints& hints) {
  Json json;
  json["pre_tokenizer"] = {{"type", "ByteLevel"},
                           {"add_prefix_space", hints.flag("add_prefix_space", false)},
                           {"trim_offsets", true},
                           {"use_regex", true}};
  json["decoder"] = {
      {"type", "ByteLevel"}, {"add_prefix_space", true}, {"trim_offsets", true}, {"use_regex", true}};
  json["model"] = bpe_model(nullptr, "", std::move(taken));
  return json;
}

Json of_gpt1(Taken taken, const FolderHints& hints) {
  Json json;
  json["normalizer"] = {{"type", "BertNormalizer"},
                        {"clean_text", true},
                        {"handle_chinese_chars", true},
                        {"strip_accents", nullptr},
                        {"lowercase", true}};
  json["pre_tokenizer"] = Json::object({{"type", "BertPreTokenizer"}});
  json["decoder"] = {{"type", "BPEDecoder"}, {"suffix", "</w>"}};
  json["model"] =
      bpe_model(name_of(named_tokens(ClassKind::gpt1, hints), "unk_token"), "</w>", std::move(taken));
  return json;
}

Json of_llama(Taken taken, const FolderHints& hints) {
  Json json;
  const bool prefix = hints.flag("add_prefix_space", true);
  const bool legacy = hints.flag("legacy", false);
  json["pre_tokenizer"] = metaspace(!prefix ? "never" : legacy ? "always" : "first", false);
  Json decoders = Json::array(
      {Json{{"type", "Replace"}, {"pattern", Json::object({{"String", kSpaceMark}})}, {"content", " "}},
       Json::object({{"type", "ByteFallback"}}),
       Json::object({{"type", "Fuse"}})});
  if (prefix) {
    decoders.push_back(Json{{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
  }
  json["decoder"] = {{"type", "Sequence"}, {"decoders", std::move(decoders)}};
  json["model"] = {{"type", "BPE"},
                   {"unk_token", nullptr},
                   {"fuse_unk", true},
                   {"byte_fallback", true},
                   {"vocab", std::move(taken.vocabulary)},
                   {"merges", std::move(taken.merges)}};
  return json;
}

// T5's and XLM-RoBERTa's.
Json of_unigram(ClassKind kind, Taken taken, const FolderHints& hints) {
  const bool is_t5 = kind == ClassKind::t5;
  const char* scheme = is_t5 || hints.flag("add_prefix_space", true) ? "always" : "never";
  Json json;
  if (!taken.charsmap.is_null()) {
    json["normalizer"] = {{"type", "Precompiled"}, {"precompiled_charsmap", std::move(taken.charsmap)}};
  }
  json["pre_tokenizer"] = {
      {"type", "Sequence"},
      {"pretokenizers", Json::array({Json::object({{"type", "WhitespaceSplit"}}), metaspace(scheme, true)})}};
  json["decoder"] = metaspace(scheme, true);
  json["model"] = {{"type", "Unigram"},
                   {"unk_id", is_t5 ? 2 : 3},
                   {"vocab", std::move(taken.vocabulary)},
                   {"byte_fallback", false}};
  return json;
}

const char* model_of(ClassKind kind) {
  switch (kind) {
    case ClassKind::as_written:
      break;
    case ClassKind::bert:
    case ClassKind::mpnet:
      return "WordPiece";
    case ClassKind::roberta:
    case ClassKind::gpt2:
    case ClassKind::gpt1:
    case ClassKind::llama:
      return "BPE";
    case ClassKind::t5:
    case ClassKind::xlm_roberta:
      return "Unigram";
  }
  return "";
}

// The first Precompiled among the normalizers.
Json written_charsmap(const Json& normalizer) {
  if (!normalizer.is_object()) {
    return nullptr;
  }
  const bool is_sequence = normalizer.value("type", "") == "Sequence" && normalizer.contains("normalizers");
  for (const Json& part : is_sequence ? normalizer["normalizers"] : Json::array({normalizer})) {
    if (part.is_object() && part.contains("precompiled_charsmap") &&
        part["precompiled_charsmap"].is_string()) {
      return part["precompiled_charsmap"];
    }
  }
  return nullptr;
}

class Framer {
 public:
  Framer(ClassKind kind, const FolderHints& hints, const TokenList& tokens)
      : kind_(kind), hints_(hints), tokens_(tokens), named_(named_tokens(kind, hints)) {}

  // The name that stands in the frame, and its id.
  std::pair<std::string, int64_t> token(const char* key) const {
    const std::string name = name_of(named_, key);
    const auto id = tokens_.id_of(name);
    check(!name.empty() && id.has_value(),
          "{}: {} is null, but the frame of {} needs it",
          hints_.path("tokenizer_config.json"),
          key,
          class_name(kind_));
    return {name, id.value_or(0)};
  }

  Json bert() const {
    const auto cls = token("cls_token"), sep = token("sep_token");
    return template_of(
        {cls.first, "$A", sep.first}, {cls.first, "$A", sep.first, "$B:1", sep.first + ":1"}, {cls, sep});
  }
  Json roberta() const {
    const auto cls = token("cls_token"), sep = token("sep_token");
    const bool own = kind_ == ClassKind::roberta;
    return Json{{"type", "RobertaProcessing"},
                {"sep", Json::array({sep.first, sep.second})},
                {"cls", Json::array({cls.first, cls.second})},
                {"trim_offsets", own ? hints_.flag("trim_offsets", true) : true},
                {"add_prefix_space", own ? hints_.flag("add_prefix_space", false) : false}};
  }
  Json t5() const {
    const std::string end = "</s>";  // whatever the token is called
    return template_of({"$A", end}, {"$A", end, "$B", end}, {{end, token("eos_token").second}});
  }
  Json xlm_roberta() const {
    const auto bos = token("bos_token"), eos = token("eos_token");
    const std::string &begin = bos.first, &end = eos.first;
    return template_of({begin, "$A", end}, {begin, "$A", end, end, "$B", end}, {bos, eos});
  }
  Json bos_and_eos() const {
    std::vector<std::string> single{"$A"}, second{"$B:1"};
    std::vector<std::pair<std::string, int64_t>> tokens;
    if (hints_.flag("add_bos_token", false) && !name_of(named_, "bos_token").empty()) {
      tokens.push_back(token("bos_token"));
      single.insert(single.begin(), tokens.back().first);
      second.insert(second.begin(), tokens.back().first + ":1");
    }
    if (hints_.flag("add_eos_token", false) && !name_of(named_, "eos_token").empty()) {
      tokens.push_back(token("eos_token"));
      single.push_back(tokens.back().first);
      second.push_back(tokens.back().first + ":1");
    }
    if (tokens.empty()) {
      return nullptr;
    }
    std::vector<std::string> pair = single;
    pair.insert(pair.end(), second.begin(), second.end());
    return template_of(single, pair, tokens);
  }

 private:
  ClassKind kind_;
  const FolderHints& hints_;
  const TokenList& tokens_;
  std::vector<NamedToken> named_;
};

}  // namespace

Json metaspace(const char* scheme, bool split) {
  return Json{
      {"type", "Metaspace"}, {"replacement", kSpaceMark}, {"prepend_scheme", scheme}, {"split", split}};
}

Json template_of(const std::vector<std::string>& single,
                 const std::vector<std::string>& pair,
                 const std::vector<std::pair<std::string, int64_t>>& tokens) {
  const auto parts = [](const std::vector<std::string>& words) {
    Json list = Json::array();
    for (const std::string& written : words) {
      const int64_t type = written.ends_with(":1") ? 1 : 0;
      const std::string word = written.substr(0, type == 1 ? written.rfind(':') : written.size());
      const bool is_text = word == "$A" || word == "$B";
      list.push_back(is_text ? Json::object({{"Sequence", Json{{"id", word.substr(1)}, {"type_id", type}}}})
                             : Json::object({{"SpecialToken", Json{{"id", word}, {"type_id", type}}}}));
    }
    return list;
  };
  Json special = Json::object();
  for (const auto& [name, id] : tokens) {
    special[name] = {{"id", name}, {"ids", Json::array({id})}, {"tokens", Json::array({name})}};
  }
  return Json{{"type", "TemplateProcessing"},
              {"single", parts(single)},
              {"pair", parts(pair)},
              {"special_tokens", special}};
}

Taken taken_of(Json tokenizer, ClassKind kind, const std::string& file) {
  const JsonPart model = JsonPart(tokenizer, file).at("model");
  const std::string type = model.text_or("type", model_of(kind));
  model.require(type == model_of(kind),
                "is {}, but {} of tokenizer_config.json or config.json needs {}",
                printable(type),
                class_name(kind),
                model_of(kind));
  model.at("vocab");
  Taken taken{.vocabulary = std::move(tokenizer["model"]["vocab"]),
              .merges = type == "BPE" ? std::move(tokenizer["model"]["merges"]) : Json(),
              .charsmap = written_charsmap(tokenizer.value("normalizer", Json()))};
  return taken;
}

Json rebuilt(ClassKind kind, Taken taken, const FolderHints& hints) {
  switch (kind) {
    case ClassKind::as_written:
      break;
    case ClassKind::bert:
    case ClassKind::mpnet:
      return of_word_piece(kind, std::move(taken), hints);
    case ClassKind::roberta:
    case ClassKind::gpt2:
      return of_byte_level(std::move(taken), hints);
    case ClassKind::gpt1:
      return of_gpt1(std::move(taken), hints);
    case ClassKind::llama:
      return of_llama(std::move(taken), hints);
    case ClassKind::t5:
    case ClassKind::xlm_roberta:
      return of_unigram(kind, std::move(taken), hints);
  }
  return {};
}

Json frame_of(ClassKind kind, const FolderHints& hints, const TokenList& tokens, bool is_written) {
  const Framer framer(kind, hints, tokens);
  switch (kind) {
    case ClassKind::bert:
      return framer.bert();
    case ClassKind::mpnet:
    case ClassKind::roberta:
      return framer.roberta();
    case ClassKind::t5:
      return framer.t5();
    case ClassKind::xlm_roberta:
      return framer.xlm_roberta();
    case ClassKind::as_written:
    case ClassKind::gpt2:
    case ClassKind::gpt1:
    case ClassKind::llama:
      break;
  }
  return is_written ? Json() : framer.bos_and_eos();
}

}  // namespace lmzoo::huggingface
