// T5's and LLaMA's SentencePiece models.
#include <algorithm>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

#include "base/utf8.h"
#include "io/files.h"
#include "io/protobuf.h"
#include "io/sentencepiece_model.h"
#include "tokenizer/published/read/legacy.h"
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

Json metaspace(const char* scheme, bool split) {
  return Json{{"type", "Metaspace"}, {"replacement", kMark}, {"prepend_scheme", scheme}, {"split", split}};
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

// T5: white space splits, every word begins with a mark, <extra_id_i> stand behind the pieces in descending
// order.
Json as_t5(const SentencePieceModel& model, const std::string& charsmap, const FolderHints& hints) {
  constexpr int64_t kMostSentinels = 10'000;
  Json json = base_of(model);
  Json vocabulary = Json::array();
  for (const SentencePiece& piece : model.pieces) {
    vocabulary.push_back(Json::array({piece.text, static_cast<double>(piece.score)}));
  }
  const bool has_own = id_of(model, sentinel_name(0)).has_value();
  const int64_t sentinels = has_own ? 0 : hints.number("extra_ids", 100, kMostSentinels);
  for (int64_t i = sentinels - 1; i >= 0; --i) {
    json["added_tokens"].push_back(added_token(std::ssize(vocabulary), sentinel_name(i), true));
    vocabulary.push_back(Json::array({sentinel_name(i), 0.0}));
  }
  if (!charsmap.empty()) {
    json["normalizer"] = {{"type", "Precompiled"}, {"precompiled_charsmap", to_base64(charsmap)}};
  }
  json["pre_tokenizer"] = {
      {"type", "Sequence"},
      {"pretokenizers",
       Json::array({Json::object({{"type", "WhitespaceSplit"}}), metaspace("always", true)})}};
  if (const auto eos = id_of(model, model.eos_piece)) {
    json["post_processor"] = template_of(
        {"$A", model.eos_piece}, {"$A", model.eos_piece, "$B", model.eos_piece}, {{model.eos_piece, *eos}});
  }
  json["decoder"] = metaspace("always", true);
  json["model"] = {{"type", "Unigram"},
                   {"unk_id", model.unknown_id},
                   {"vocab", std::move(vocabulary)},
                   {"byte_fallback", model.byte_fallback}};
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
Json as_llama(const SentencePieceModel& model, const FolderHints& hints) {
  Json json = base_of(model);
  Json vocabulary = Json::object();
  std::map<std::string_view, int64_t> ids;
  for (const SentencePiece& piece : model.pieces) {
    ids.emplace(piece.text, std::ssize(ids));
  }
  auto& entries = vocabulary.get_ref<Json::object_t&>();
  for (size_t id = 0; id < model.pieces.size(); ++id) {
    static_cast<Json::object_t::Container&>(entries).emplace_back(model.pieces[id].text, id);
  }
  const bool prefix = hints.flag("add_prefix_space", true);
  const bool legacy = hints.flag("legacy", false);
  json["pre_tokenizer"] = metaspace(!prefix ? "never" : legacy ? "always" : "first", false);
  const auto bos = id_of(model, model.bos_piece), eos = id_of(model, model.eos_piece);
  const bool has_bos = bos && hints.flag("add_bos_token", true),
             has_eos = eos && hints.flag("add_eos_token", false);
  std::vector<std::string> single{"$A"}, second{"$B:1"};
  std::vector<std::pair<std::string, int64_t>> tokens;
  if (has_bos) {
    single.insert(single.begin(), model.bos_piece);
    second.insert(second.begin(), model.bos_piece + ":1");
    tokens.emplace_back(model.bos_piece, *bos);
  }
  if (has_eos) {
    single.push_back(model.eos_piece);
    second.push_back(model.eos_piece + ":1");
    tokens.emplace_back(model.eos_piece, *eos);
  }
  std::vector<std::string> pair = single;
  pair.insert(pair.end(), second.begin(), second.end());
  json["post_processor"] = template_of(single, pair, tokens);
  Json decoders = Json::array(
      {Json{{"type", "Replace"}, {"pattern", Json::object({{"String", kMark}})}, {"content", " "}},
       Json::object({{"type", "ByteFallback"}}),
       Json::object({{"type", "Fuse"}})});
  if (prefix) {
    decoders.push_back(Json{{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
  }
  json["decoder"] = {{"type", "Sequence"}, {"decoders", decoders}};
  json["model"] = {{"type", "BPE"},
                   {"unk_token", model.pieces[static_cast<size_t>(model.unknown_id)].text},
                   {"fuse_unk", true},
                   {"byte_fallback", model.byte_fallback},
                   {"vocab", std::move(vocabulary)},
                   {"merges", merges_of(model, ids)}};
  return json;
}

}  // namespace

Json from_sentencepiece(const std::string& bytes, const std::string& name, const FolderHints& hints) {
  const SentencePieceModel model = validate_sentencepiece_model(as_bytes(bytes), name);
  const std::string kind = hints.tokenizer_class();
  const bool is_bpe = model.algorithm == SentencePieceModel::Algorithm::bpe;
  check(is_bpe || model.algorithm == SentencePieceModel::Algorithm::unigram,
        "{}: is neither a unigram nor a BPE model",
        name);
  const char* expected = is_bpe ? "LlamaTokenizer" : "T5Tokenizer";
  check(kind.empty() || kind == expected || kind == "PreTrainedTokenizer",
        "{}: tokenizer_class \"{}\" is not known here for {} model without a tokenizer.json; known is {}",
        name,
        printable(kind),
        is_bpe ? "a BPE" : "a unigram",
        expected);
  return is_bpe ? as_llama(model, hints) : as_t5(model, charsmap_of(bytes, name), hints);
}

}  // namespace lmzoo::huggingface
