#include "tokenizer/published/read/legacy.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>
#include <sstream>
#include <utility>

#include "base/utf8.h"
#include "io/files.h"
#include "tokenizer/published/unicode/base64.h"

namespace lmzoo::huggingface {
namespace {

constexpr size_t kMostBytes = size_t{64} << 20;

std::string path_of(const FolderHints& hints, const char* name) { return hints.folder + "/" + name; }
bool exists(const std::string& folder, const char* name) {
  return std::filesystem::exists(folder + "/" + name);
}

// Lines without their ends. The file must be UTF-8.
std::vector<std::string> read_lines(const std::string& path) {
  const std::string text = read_text_file(path, kMostBytes);
  const size_t broken = find_invalid_utf8(text);
  if (broken != std::string::npos) {
    throw InputError(locate(text, broken, path), "is not UTF-8");
  }
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    if (line.ends_with('\r')) {
      line.pop_back();
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

Json tokenizer_json() { return Json{{"version", "1.0"}, {"added_tokens", Json::array()}}; }

// Adds the special tokens among `names` that are pieces, then those of added_tokens.json and of
// added_tokens_decoder, which tells more of each.
void add_tokens(Json& json,
                const Json& vocabulary,
                const std::vector<std::string>& names,
                const FolderHints& hints) {
  std::set<std::string> done;
  const auto add = [&](Json token) {
    if (done.insert(token["content"].get<std::string>()).second) {
      json["added_tokens"].push_back(std::move(token));
    }
  };
  if (const auto given = hints.config.find("added_tokens_decoder"); given != hints.config.end()) {
    check(given->is_object(),
          "{}: added_tokens_decoder must be an object",
          path_of(hints, "tokenizer_config.json"));
    for (const auto& [id, value] : given->items()) {
      check(!id.empty() && id.size() < 10 && id.find_first_not_of("0123456789") == std::string::npos &&
                value.is_object() && value.contains("content") && value["content"].is_string(),
            "{}: added_tokens_decoder: \"{}\" must be an id with a token",
            path_of(hints, "tokenizer_config.json"),
            printable(id));
      Json token =
          added_token(std::stoll(id), value["content"].get<std::string>(), value.value("special", false));
      for (const char* key : {"single_word", "lstrip", "rstrip", "normalized"}) {
        token[key] = value.contains(key) ? value[key] : token[key];
      }
      add(std::move(token));
    }
  }
  for (const std::string& name : names) {
    if (const auto id = vocabulary.find(name); id != vocabulary.end()) {
      add(added_token(id->get<int64_t>(), name, true));
    }
  }
  for (const auto& [name, id] : hints.added.items()) {
    check(id.is_number_integer() && id >= 0 && id < 100'000'000,
          "{}: \"{}\" must have an id",
          path_of(hints, "added_tokens.json"),
          printable(name));
    add(added_token(id.get<int64_t>(), name, std::find(names.begin(), names.end(), name) != names.end()));
  }
}

std::string token_or(const FolderHints& hints, const char* key, const char* absent) {
  const std::string token = hints.token(key);
  return token.empty() ? absent : token;
}

Json from_vocab_txt(const FolderHints& hints) {
  const std::string path = path_of(hints, "vocab.txt");
  Json vocabulary = Json::object();
  std::set<std::string> seen;
  Json::object_t::Container& entries = vocabulary.get_ref<Json::object_t&>();
  for (std::string& line : read_lines(path)) {
    const auto id = static_cast<int64_t>(entries.size());
    check(seen.insert(line).second, "{}:{}: the piece \"{}\" is given twice", path, id + 1, printable(line));
    entries.emplace_back(std::move(line), id);
  }
  const std::string unk = token_or(hints, "unk_token", "[UNK]"), cls = token_or(hints, "cls_token", "[CLS]"),
                    sep = token_or(hints, "sep_token", "[SEP]");
  Json json = tokenizer_json();
  add_tokens(json,
             vocabulary,
             {token_or(hints, "pad_token", "[PAD]"), unk, cls, sep, token_or(hints, "mask_token", "[MASK]")},
             hints);
  const bool lower = hints.flag("do_lower_case", true);
  json["normalizer"] = {{"type", "BertNormalizer"},
                        {"clean_text", true},
                        {"handle_chinese_chars", hints.flag("tokenize_chinese_chars", true)},
                        {"strip_accents", hints.flag("strip_accents", lower)},
                        {"lowercase", lower}};
  json["pre_tokenizer"] = Json::object({{"type", "BertPreTokenizer"}});
  const auto cls_id = vocabulary.find(cls), sep_id = vocabulary.find(sep);
  if (cls_id != vocabulary.end() && sep_id != vocabulary.end()) {
    json["post_processor"] = template_of({cls, "$A", sep},
                                         {cls, "$A", sep, "$B:1", sep + ":1"},
                                         {{cls, cls_id->get<int64_t>()}, {sep, sep_id->get<int64_t>()}});
  }
  json["decoder"] = {{"type", "WordPiece"}, {"prefix", "##"}, {"cleanup", true}};
  json["model"] = {{"type", "WordPiece"},
                   {"unk_token", unk},
                   {"continuing_subword_prefix", "##"},
                   {"max_input_chars_per_word", 100},
                   {"vocab", std::move(vocabulary)}};
  return json;
}

// "left right" a line, behind a first line "#version: 0.2".
Json read_merges_file(const std::string& path) {
  Json merges = Json::array();
  std::vector<std::string> lines = read_lines(path);
  for (size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].empty() || (i == 0 && lines[i].starts_with("#version"))) {
      continue;
    }
    const size_t space = lines[i].find(' ');
    check(space != std::string::npos && lines[i].find(' ', space + 1) == std::string::npos,
          "{}:{}: must be two pieces with a space between, not \"{}\"",
          path,
          i + 1,
          printable(lines[i]));
    merges.push_back(std::move(lines[i]));
  }
  return merges;
}

// The parts that RoBERTa has and GPT-2 has not.
void frame_as_roberta(Json& json, const Json& vocabulary, const FolderHints& hints) {
  const std::string cls = token_or(hints, "cls_token", "<s>"), sep = token_or(hints, "sep_token", "</s>");
  const auto cls_id = vocabulary.find(cls), sep_id = vocabulary.find(sep);
  check(cls_id != vocabulary.end() && sep_id != vocabulary.end(),
        "{}: has no \"{}\" or no \"{}\", which RoBERTa needs",
        path_of(hints, "vocab.json"),
        printable(cls),
        printable(sep));
  json["post_processor"] = {{"type", "RobertaProcessing"},
                            {"sep", Json::array({sep, *sep_id})},
                            {"cls", Json::array({cls, *cls_id})},
                            {"trim_offsets", hints.flag("trim_offsets", true)},
                            {"add_prefix_space", hints.flag("add_prefix_space", false)}};
}

Json from_vocab_and_merges(const FolderHints& hints) {
  const std::string path = path_of(hints, "vocab.json");
  Json vocabulary = read_json(path);
  check(vocabulary.is_object() && !vocabulary.empty(), "{}: must be an object of pieces and their ids", path);
  for (const auto& [name, id] : vocabulary.items()) {
    check(id.is_number_integer(), "{}: \"{}\" must have an id", path, printable(name));
  }
  const auto& pieces = vocabulary.items();
  const bool is_gpt1 = std::any_of(
      pieces.begin(), pieces.end(), [](const auto& item) { return item.key().ends_with("</w>"); });
  const std::string kind = hints.tokenizer_class();
  const bool is_roberta =
      kind.empty() ? vocabulary.contains("<s>") && vocabulary.contains("<mask>") : kind == "RobertaTokenizer";
  static const std::set<std::string> known{
      "", "OpenAIGPTTokenizer", "GPT2Tokenizer", "RobertaTokenizer", "PreTrainedTokenizer"};
  check(known.contains(kind),
        "{}: tokenizer_class \"{}\" is not known here without a tokenizer.json; known are GPT2Tokenizer, "
        "OpenAIGPTTokenizer, RobertaTokenizer",
        path_of(hints, "tokenizer_config.json"),
        printable(kind));
  std::vector<std::string> names;
  for (const char* key :
       {"bos_token", "eos_token", "unk_token", "pad_token", "cls_token", "sep_token", "mask_token"}) {
    names.push_back(hints.token(key));
  }
  for (const char* name : {"<|endoftext|>", "<unk>", "<s>", "</s>", "<pad>", "<mask>"}) {
    const bool is_end = name == std::string("<|endoftext|>");
    if (is_gpt1 ? name == std::string("<unk>") : is_roberta != is_end) {
      names.emplace_back(name);
    }
  }
  Json json = tokenizer_json();
  add_tokens(json, vocabulary, names, hints);
  const std::string unk = token_or(hints, "unk_token", "<unk>");
  if (is_gpt1) {
    json["normalizer"] = {{"type", "BertNormalizer"},
                          {"clean_text", true},
                          {"handle_chinese_chars", true},
                          {"strip_accents", nullptr},
                          {"lowercase", true}};
    json["pre_tokenizer"] = Json::object({{"type", "BertPreTokenizer"}});
    json["decoder"] = {{"type", "BPEDecoder"}, {"suffix", "</w>"}};
  } else {
    json["pre_tokenizer"] = {{"type", "ByteLevel"},
                             {"add_prefix_space", hints.flag("add_prefix_space", false)},
                             {"trim_offsets", true},
                             {"use_regex", true}};
    json["decoder"] = {
        {"type", "ByteLevel"}, {"add_prefix_space", true}, {"trim_offsets", true}, {"use_regex", true}};
  }
  if (is_roberta && !is_gpt1) {
    frame_as_roberta(json, vocabulary, hints);
  }
  Json merges = read_merges_file(path_of(hints, "merges.txt"));
  json["model"] = {{"type", "BPE"},
                   {"unk_token", is_gpt1 ? Json(unk) : Json(nullptr)},
                   {"continuing_subword_prefix", ""},
                   {"end_of_word_suffix", is_gpt1 ? "</w>" : ""},
                   {"fuse_unk", false},
                   {"vocab", std::move(vocabulary)},
                   {"merges", std::move(merges)}};
  return json;
}

}  // namespace

Json added_token(int64_t id, const std::string& content, bool special) {
  return Json{{"id", id},
              {"content", content},
              {"single_word", false},
              {"lstrip", false},
              {"rstrip", false},
              {"normalized", !special},
              {"special", special}};
}

Json template_of(const std::vector<std::string>& single,
                 const std::vector<std::string>& pair,
                 const std::vector<std::pair<std::string, int64_t>>& tokens) {
  const auto parts = [](const std::vector<std::string>& words) {
    Json list = Json::array();
    for (std::string word : words) {
      const int64_t type = word.ends_with(":1") ? 1 : 0;
      word.resize(word.size() - (type == 1 ? 2 : 0));
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

bool has_legacy_files(const std::string& folder) {
  return exists(folder, "vocab.txt") || (exists(folder, "vocab.json") && exists(folder, "merges.txt")) ||
         exists(folder, "spiece.model") || exists(folder, "tokenizer.model");
}

Json from_legacy_files(const FolderHints& hints) {
  if (exists(hints.folder, "vocab.txt")) {
    return from_vocab_txt(hints);
  }
  if (exists(hints.folder, "vocab.json") && exists(hints.folder, "merges.txt")) {
    return from_vocab_and_merges(hints);
  }
  const std::string path =
      path_of(hints, exists(hints.folder, "spiece.model") ? "spiece.model" : "tokenizer.model");
  return from_sentencepiece(read_text_file(path, kMostBytes * 4), path, hints);
}

}  // namespace lmzoo::huggingface
