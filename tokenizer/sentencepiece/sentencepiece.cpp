#include "tokenizer/sentencepiece/sentencepiece.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include <sentencepiece_processor.h>

#include "base/check.h"
#include "io/files.h"
#include "io/protobuf.h"
#include "io/sentencepiece_model.h"
#include "tokenizer/saved_format.h"
#include "tokenizer/special_tokens.h"

namespace lmzoo {
namespace {

constexpr std::string_view kSpace = "\xE2\x96\x81";  // ▁ U+2581
// A private-use character, which no piece joins with its neighbors: what follows it is encoded as if it stood
// inside a word.
constexpr std::string_view kGuard = "\xEE\x80\x80";  // U+E000

// Other names that published models use.
std::vector<std::string> names_of(const SpecialKind& kind, const SentencePieceModel& model) {
  if (kind.id == &Vocabulary::pad) {
    return {model.pad_piece};
  }
  if (kind.id == &Vocabulary::eos) {
    return {model.eos_piece};
  }
  if (kind.id == &Vocabulary::bos) {
    return {model.bos_piece};
  }
  if (kind.id == &Vocabulary::cls) {
    return {"[CLS]", "<cls>"};
  }
  if (kind.id == &Vocabulary::sep) {
    return {"[SEP]", "<sep>"};
  }
  return {"[MASK]", "<mask>"};
}

class PieceIndex {
 public:
  explicit PieceIndex(const SentencePieceModel& model) {
    for (size_t i = 0; i < model.pieces.size(); ++i) {
      const SentencePiece& piece = model.pieces[i];
      if (piece.type == PieceType::control || piece.type == PieceType::user_defined) {
        ids_.emplace(piece.text, static_cast<int64_t>(i));
      }
    }
  }

  // The id of a piece that is not text: only such a one can be a special token.
  std::optional<int64_t> find(const std::string& name) const {
    const auto found = ids_.find(name);
    return found != ids_.end() ? std::optional(found->second) : std::nullopt;
  }

 private:
  std::map<std::string, int64_t> ids_;
};

// <extra_id_0>, <extra_id_1>, ... as far as the model has them itself (mT5 writes a space before them).
int64_t take_own_sentinels(SpecialTokens& tokens, const PieceIndex& index) {
  int64_t count = 0;
  for (;; ++count) {
    const std::string name = sentinel_name(count);
    auto id = index.find(name);
    if (!id) {
      id = index.find(std::string(kSpace) + name);
    }
    if (!id) {
      return count;
    }
    tokens.vocabulary.sentinels.push_back(*id);
    tokens.ids.emplace(name, *id);
    tokens.names.emplace(*id, name);
  }
}

SpecialTokens overlay_specials(const SentencePieceModel& model, const Overlay& overlay) {
  const PieceIndex index(model);
  SpecialTokens tokens;
  auto next = static_cast<int64_t>(model.pieces.size());
  std::vector<SpecialKind> lacking;
  for (const SpecialKind& kind : special_kinds()) {
    if (kind.id == &Vocabulary::unk) {
      const auto unknown = static_cast<size_t>(model.unknown_id);
      add_special(tokens, kind, model.unknown_id, model.pieces[unknown].text);
      continue;
    }
    bool found = false;
    for (const std::string& name : names_of(kind, model)) {
      if (const auto id = index.find(name); id && !found && !tokens.names.contains(*id)) {
        add_special(tokens, kind, *id, name);
        found = true;
      }
    }
    if (!found) {
      lacking.push_back(kind);
    }
  }
  if (take_own_sentinels(tokens, index) == 0) {
    add_sentinels(tokens, next, overlay.sentinels);
    next += overlay.sentinels;
  }
  if (overlay.add_specials) {
    for (const SpecialKind& kind : lacking) {
      add_special(tokens, kind, next++, kind.name);
    }
  }
  tokens.vocabulary.size = next;
  return tokens;
}

// The same model in which the special tokens are control symbols: user-defined ones would be found in raw
// text.
std::string without_special_text(const std::string& bytes,
                                 const Vocabulary& vocabulary,
                                 const std::string& name) {
  constexpr uint32_t kPieces = 1, kType = 3;  // fields of sentencepiece_model.proto
  std::string model = bytes;
  ProtoReader reader(bytes, 0, name);
  int64_t id = 0;
  for (ProtoField field; reader.next(field);) {
    if (field.number != kPieces) {
      continue;
    }
    ProtoReader piece = reader.inside(field);
    for (ProtoField part; piece.next(part);) {
      const bool is_user_defined =
          part.number == kType && part.value == static_cast<uint64_t>(PieceType::user_defined);
      if (is_user_defined && vocabulary.is_special(id)) {
        model[part.offset + 1] = static_cast<char>(PieceType::control);  // behind a tag of one byte
      }
    }
    ++id;
  }
  return model;
}

class SentencePieceTokenizer final : public Tokenizer {
 public:
  SentencePieceTokenizer(std::string model,
                         SpecialTokens specials,
                         const Overlay& overlay,
                         const std::string& name)
      : Tokenizer(std::move(specials)), model_(std::move(model)), overlay_(overlay) {
    const auto status = processor_.LoadFromSerializedProto(without_special_text(model_, vocabulary(), name));
    check(status.ok(), "{}: libsentencepiece refuses it: {}", name, status.error_message());
    guard_ = encode_text(kGuard);
    trims_spaces_ = encode_text("a") == encode_text("a ");
    drops_first_space_ = find_drops_first_space();
  }

 protected:
  std::map<std::string, std::string> files() const override {
    Json saved = saved_header("sentencepiece", overlay_.sentinels);
    saved["add_specials"] = overlay_.add_specials;
    return {{kTokenizerFile, saved.dump(1) + "\n"}, {kPiecesFile, model_}};
  }

  std::vector<int64_t> encode_text(std::string_view text) const override {
    std::vector<int> ids;
    const auto status = processor_.Encode(text, &ids);
    if (!status.ok()) {
      throw std::logic_error(status.error_message());
    }
    return {ids.begin(), ids.end()};
  }

  // Places are the library's, without the space that begins a word.
  Encoding encode_text_with_offsets(std::string_view text) const override {
    constexpr uint32_t kPieces = 2, kId = 2, kBegin = 4, kEnd = 5;  // fields of sentencepiece.proto
    const std::string message = processor_.EncodeAsSerializedProto(text);
    Encoding encoding;
    ProtoReader reader(message, 0, "sentencepiece");
    for (ProtoField field; reader.next(field);) {
      if (field.number != kPieces) {
        continue;
      }
      int64_t id = 0, begin = 0, end = 0;
      ProtoReader piece = reader.inside(field);
      for (ProtoField part; piece.next(part);) {
        int64_t* const wanted = part.number == kId      ? &id
                                : part.number == kBegin ? &begin
                                : part.number == kEnd   ? &end
                                                        : nullptr;
        if (wanted != nullptr) {
          *wanted = static_cast<int64_t>(part.value);
        }
      }
      while (begin < end && text[static_cast<size_t>(begin)] == ' ') {
        ++begin;
      }
      encoding.ids.push_back(id);
      encoding.begin.push_back(begin);
      encoding.end.push_back(end);
    }
    return encoding;
  }

  std::vector<int64_t> encode_continuation(std::string_view text) const override {
    std::vector<int64_t> ids = encode_text(std::string(kGuard) + std::string(text));
    const auto unknowns = [&](const std::vector<int64_t>& all) {
      return std::count(all.begin(), all.end(), *vocabulary().unk);
    };
    size_t surplus = guard_.size();
    if (surplus > 0 && guard_.back() == *vocabulary().unk && unknowns(ids) == unknowns(encode_text(text))) {
      --surplus;  // the guard is in one unknown token with what follows it
    }
    const auto end = guard_.begin() + static_cast<std::ptrdiff_t>(surplus);
    if (surplus == 0 || surplus > ids.size() || !std::equal(guard_.begin(), end, ids.begin())) {
      return encode_text(text);  // a model from elsewhere that does know the guard
    }
    ids.erase(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(surplus));
    return ids;
  }

  std::string decode_text(std::span<const int64_t> ids) const override {
    std::string text;
    const auto status = processor_.Decode(std::vector<int>(ids.begin(), ids.end()), &text);
    if (!status.ok()) {
      throw std::logic_error(status.error_message());
    }
    return text;
  }

  std::string decode_continuation(std::span<const int64_t> ids) const override {
    const bool lost_space = !ids.empty() && drops_first_space_ && text_piece(ids[0]).starts_with(kSpace);
    return (lost_space ? " " : "") + decode_text(ids);
  }

  bool trims_spaces() const override { return trims_spaces_; }
  std::string text_piece(int64_t id) const override { return processor_.IdToPiece(static_cast<int>(id)); }

  std::optional<int64_t> text_id(std::string_view piece) const override {
    const int id = processor_.PieceToId(piece);  // that of <unk> for what it does not know
    return processor_.IdToPiece(id) == piece ? std::optional<int64_t>(id) : std::nullopt;
  }

 private:
  // Whether decoding drops the space that encoding put first, seen at the first piece that begins a word.
  bool find_drops_first_space() const {
    for (int id = 0; id < processor_.GetPieceSize(); ++id) {
      const std::string& piece = processor_.IdToPiece(id);
      const bool is_text = !processor_.IsControl(id) && !processor_.IsUnknown(id) && !processor_.IsUnused(id);
      if (is_text && piece.size() > kSpace.size() && piece.starts_with(kSpace)) {
        return !processor_.DecodeIds({id}).starts_with(' ');
      }
    }
    return false;
  }

  std::string model_;
  Overlay overlay_;
  sentencepiece::SentencePieceProcessor processor_;
  std::vector<int64_t> guard_;  // ids of kGuard alone
  bool trims_spaces_ = false;
  bool drops_first_space_ = false;  // decoding drops the space that encoding put first
};

}  // namespace

std::shared_ptr<const Tokenizer> make_sentencepiece_tokenizer(std::string model,
                                                              const Overlay& overlay,
                                                              const std::string& name) {
  SpecialTokens specials = overlay_specials(validate_sentencepiece_model(as_bytes(model), name), overlay);
  return std::make_shared<SentencePieceTokenizer>(std::move(model), std::move(specials), overlay, name);
}

}  // namespace lmzoo
