// SentencePiece models of T5, XLM-RoBERTa and LLaMA.
//
// transformers 5.23 takes the pieces and rules of such a model, but not its settings: a model without a dummy prefix gets
// one, and one that removes extra white space keeps it. Here the settings count, so that ids are SentencePiece's.
#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/utf8.h"
#include "io/files.h"
#include "io/protobuf.h"
#include "io/sentencepiece_model.h"
#include "tokenizer/published/read/legacy.h"
#include "tokenizer/published/read/rebuild.h"
#include "tokenizer/published/unicode/base64.h"
#include "tokenizer/special_tokens.h"

namespace lmzoo::huggingface {
namespace {

constexpr const char* kMark = "\xE2\x96\x81";  // ▁

// The compiled normalization rules of a model that was validated.
std::string charsmap_of(const std::string& bytes, const std::string& name) {
  constexpr uint32_t kNormalizer = 3, kCharsmap = 2;  // fields of sentencepiece_model.proto
  ProtoReader model(bytes, 0, name);
  for (ProtoField field; model.next(field);) {
    if (field.number == kNormalizer) {
      ProtoReader normalizer = model.inside(field);
      for (ProtoField part; normalizer.next(part);) {
        if (part.number == kCharsmap) {
          return std::string(part.bytes);
        }
      }
    }
  }
  return "";
}

Json base_of(const SentencePieceModel& model) {
  Json added = Json::array();
  for (size_t id = 0; id < model.pieces.size(); ++id) {
    const SentencePiece& piece = model.pieces[id];
    const bool is_unknown = static_cast<int64_t>(id) == model.unknown_id;
    if (piece.type == PieceType::control || piece.type == PieceType::user_defined || is_unknown) {
      Json token = added_token(static_cast<int64_t>(id), piece.text, piece.type != PieceType::user_defined);
      token["normalized"] = false;
      added.push_back(std::move(token));
    }
  }
  return Json{{"version", "1.0"}, {"added_tokens", std::move(added)}};
}

std::optional<int64_t> id_of(const SentencePieceModel& model, const std::string& text) {
  const auto found = std::find_if(model.pieces.begin(), model.pieces.end(), [&](const SentencePiece& piece) {
    return piece.text == text;
  });
  return found == model.pieces.end() ? std::nullopt : std::optional<int64_t>(found - model.pieces.begin());
}

Json precompiled(const std::string& charsmap) {
  return Json{{"type", "Precompiled"}, {"precompiled_charsmap", to_base64(charsmap)}};
}

// What the model does to white space: the rules of characters, then no spaces at the ends and single ones between.
Json normalizer_of(const SentencePieceModel& model, const std::string& charsmap) {
  Json parts = Json::array();
  if (!charsmap.empty()) {
    parts.push_back(precompiled(charsmap));
  }
  if (model.removes_extra_spaces) {
    parts.push_back(Json{{"type", "Strip"}, {"strip_left", true}, {"strip_right", true}});
    parts.push_back(
        Json{{"type", "Replace"}, {"pattern", Json::object({{"Regex", " {2,}"}})}, {"content", " "}});
  }
  return parts.empty() ? Json() : Json{{"type", "Sequence"}, {"normalizers", std::move(parts)}};
}

Json scored_pieces(const SentencePieceModel& model) {
  Json vocabulary = Json::array();
  for (const SentencePiece& piece : model.pieces) {
    vocabulary.push_back(Json::array({piece.text, static_cast<double>(piece.score)}));
  }
  return vocabulary;
}

// As the class of transformers has it, unless the model's settings are others than it takes for granted: white space
// splits, and every word begins with a mark.
void set_unigram(Json& json,
                 const SentencePieceModel& model,
                 const std::string& charsmap,
                 Json vocabulary,
                 bool adds_prefix) {
  const bool usual = model.adds_dummy_prefix && model.removes_extra_spaces;
  if (usual && !charsmap.empty()) {
    json["normalizer"] = precompiled(charsmap);
  } else if (!usual) {
    json["normalizer"] = normalizer_of(model, charsmap);
  }
  const char* scheme = adds_prefix ? "always" : "never";
  json["pre_tokenizer"] =
      usual ? Json{{"type", "Sequence"},
                   {"pretokenizers",
                    Json::array({Json::object({{"type", "WhitespaceSplit"}}), metaspace(scheme, true)})}}
            : metaspace(scheme, false);
  json["decoder"] = metaspace(scheme, usual);
  json["model"] = {{"type", "Unigram"},
                   {"unk_id", model.unknown_id},
                   {"vocab", std::move(vocabulary)},
                   {"byte_fallback", model.byte_fallback}};
}

// <extra_id_i> stand behind the pieces in descending order.
Json as_t5(const SentencePieceModel& model, const std::string& charsmap, const FolderHints& hints) {
  constexpr int64_t kMostSentinels = 10'000;
  Json json = base_of(model);
  Json vocabulary = scored_pieces(model);
  const bool has_own = id_of(model, sentinel_name(0)).has_value();
  const int64_t sentinels = has_own ? 0 : hints.number("extra_ids", 100, kMostSentinels);
  for (int64_t i = sentinels - 1; i >= 0; --i) {
    if (!hints.find_extras().is_list) {  // else they are pieces and no more
      json["added_tokens"].push_back(added_token(std::ssize(vocabulary), sentinel_name(i), true));
    }
    vocabulary.push_back(Json::array({sentinel_name(i), 0.0}));
  }
  set_unigram(json, model, charsmap, std::move(vocabulary), model.adds_dummy_prefix);
  return json;
}

// The first three pieces make room for four special tokens, and <mask> stands behind the last.
Json as_xlm_roberta(const SentencePieceModel& model, const std::string& charsmap, const FolderHints& hints) {
  constexpr size_t kReplaced = 3;
  constexpr int64_t kUnknown = 3;
  const std::vector<NamedToken> named = named_tokens(ClassKind::xlm_roberta, hints);
  Json vocabulary = Json::array();
  for (const char* key : {"bos_token", "pad_token", "eos_token", "unk_token", "mask_token"}) {
    const std::string& name = std::ranges::find(named, key, &NamedToken::key)->token.content;
    check(
        !name.empty(), "{}: {} is null, but XLM-RoBERTa needs it", hints.path("tokenizer_config.json"), key);
    vocabulary.push_back(Json::array({name, 0.0}));
  }
  Json mask = std::move(vocabulary.back());
  vocabulary.erase(vocabulary.size() - 1);
  for (size_t i = kReplaced; i < model.pieces.size(); ++i) {
    vocabulary.push_back(Json::array({model.pieces[i].text, static_cast<double>(model.pieces[i].score)}));
  }
  vocabulary.push_back(std::move(mask));
  Json json{{"version", "1.0"}, {"added_tokens", Json::array()}};
  set_unigram(
      json, model, charsmap, std::move(vocabulary), hints.flag("add_prefix_space", model.adds_dummy_prefix));
  json["model"]["unk_id"] = kUnknown;
  json["model"]["byte_fallback"] = false;
  return json;
}

// Every way to cut a piece in two pieces is a merge; the piece's id is its rank, as the trainer numbers them.
Json merges_of(const SentencePieceModel& model, const std::map<std::string_view, int64_t>& ids) {
  struct SplitPiece {
    int64_t result;
    size_t left_length, right_length;  // characters
    std::string_view left, right;
    int64_t left_id, right_id;
  };
  std::vector<SplitPiece> merges;
  const auto count = [](std::string_view text) {
    return static_cast<size_t>(
        std::count_if(text.begin(), text.end(), [](char byte) { return (byte & 0xC0) != 0x80; }));
  };
  for (size_t id = 0; id < model.pieces.size(); ++id) {
    const std::string_view text = model.pieces[id].text;
    for (size_t at = 1; at < text.size(); ++at) {
      const auto left = ids.find(text.substr(0, at)), right = ids.find(text.substr(at));
      if ((text[at] & 0xC0) != 0x80 && left != ids.end() && right != ids.end()) {
        merges.push_back({static_cast<int64_t>(id),
                          count(left->first),
                          count(right->first),
                          left->first,
                          right->first,
                          left->second,
                          right->second});
      }
    }
  }
  std::sort(merges.begin(), merges.end(), [](const SplitPiece& a, const SplitPiece& b) {
    return std::tie(a.result, a.left_length, a.right_length, a.left_id, a.right_id) <
           std::tie(b.result, b.left_length, b.right_length, b.left_id, b.right_id);
  });
  Json list = Json::array();
  for (const SplitPiece& merge : merges) {
    list.push_back(Json::array({merge.left, merge.right}));
  }
  return list;
}

// LLaMA: the text is one word with a mark before it, unknown characters are spelled in bytes.
Json as_llama(const SentencePieceModel& model, const std::string& charsmap, const FolderHints& hints) {
  Json vocabulary = Json::object();
  std::map<std::string_view, int64_t> ids;
  for (const SentencePiece& piece : model.pieces) {
    ids.emplace(piece.text, std::ssize(ids));
  }
  auto& entries = vocabulary.get_ref<Json::object_t&>();
  for (size_t id = 0; id < model.pieces.size(); ++id) {
    static_cast<Json::object_t::Container&>(entries).emplace_back(model.pieces[id].text, id);
  }
  FolderHints settings = hints;
  if (!settings.config.contains("add_prefix_space") || settings.config["add_prefix_space"].is_null()) {
    settings.config["add_prefix_space"] = model.adds_dummy_prefix;
  }
  Json json = base_of(model);
  json.update(rebuilt(ClassKind::llama,
                      {.vocabulary = std::move(vocabulary), .merges = merges_of(model, ids), .charsmap = {}},
                      settings));
  if (Json normalizer = normalizer_of(model, charsmap); !normalizer.is_null()) {
    json["normalizer"] = std::move(normalizer);
  }
  json["model"]["unk_token"] = model.pieces[static_cast<size_t>(model.unknown_id)].text;
  json["model"]["byte_fallback"] = model.byte_fallback;
  return json;
}

}  // namespace

Legacy from_sentencepiece(const std::string& bytes, const std::string& name, const FolderHints& hints) {
  const SentencePieceModel model = validate_sentencepiece_model(as_bytes(bytes), name);
  const bool is_bpe = model.algorithm == SentencePieceModel::Algorithm::bpe;
  check(is_bpe || model.algorithm == SentencePieceModel::Algorithm::unigram,
        "{}: is neither a unigram nor a BPE model",
        name);
  check(!model.puts_spaces_behind, "{}: treat_whitespace_as_suffix is not understood here", name);
  check(model.marks_spaces, "{}: a model with escape_whitespaces: false is not understood here", name);
  const ClassKind told = kind_of(hints, "");
  const std::string kind = hints.tokenizer_class();
  const bool is_open = told == ClassKind::as_written && (kind.empty() || kind == "PreTrainedTokenizer");
  const bool fits =
      is_bpe ? told == ClassKind::llama : told == ClassKind::t5 || told == ClassKind::xlm_roberta;
  check(is_open || fits,
        "{}: tokenizer_class \"{}\" is not known here for {} model without a tokenizer.json; known {}",
        name,
        printable(kind.empty() ? class_name(told) : kind),
        is_bpe ? "a BPE" : "a unigram",
        is_bpe ? "is LlamaTokenizer" : "are T5Tokenizer, XLMRobertaTokenizer");
  const std::string charsmap = charsmap_of(bytes, name);
  if (is_bpe) {
    return {as_llama(model, charsmap, hints), ClassKind::llama};
  }
  if (told == ClassKind::xlm_roberta) {
    return {as_xlm_roberta(model, charsmap, hints), told};
  }
  return {as_t5(model, charsmap, hints), ClassKind::t5};
}

}  // namespace lmzoo::huggingface
