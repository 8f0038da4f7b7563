#include "io/sentencepiece_model.h"

#include <bitset>
#include <cmath>
#include <cstring>
#include <optional>
#include <set>
#include <unordered_map>

#include "base/utf8.h"
#include "io/charsmap.h"
#include "io/files.h"
#include "io/protobuf.h"

namespace lmzoo {
namespace {

constexpr size_t kMaxModelBytes = size_t{256} << 20;
constexpr size_t kMaxPieces = 1 << 20;
constexpr size_t kMaxPieceBytes = 512;

// The field numbers of sentencepiece_model.proto that libsentencepiece acts upon.
namespace model_field {
constexpr uint32_t pieces = 1, trainer = 2, normalizer = 3, self_test = 4, denormalizer = 5;
}
namespace piece_field {
constexpr uint32_t text = 1, score = 2, type = 3;
}
namespace trainer_field {
constexpr uint32_t algorithm = 3, spaces_behind = 24, byte_fallback = 35, unk_piece = 45, bos_piece = 46,
                   eos_piece = 47, pad_piece = 48;
}
namespace normalizer_field {
constexpr uint32_t name = 1, charsmap = 2, dummy_prefix = 3, extra_spaces = 4, marked_spaces = 5, rules = 6;
}

// Remembers which fields of a message came, to refuse a second one: protobuf would merge or take the last.
class Once {
 public:
  void operator()(const ProtoReader& reader, const ProtoField& field) {
    if (!seen_.insert(field.number).second) {
      reader.fail(field.offset, "field " + std::to_string(field.number) + " is given twice");
    }
  }

 private:
  std::set<uint32_t> seen_;
};

std::string text_of(const ProtoReader& reader, const ProtoField& field) {
  reader.expect(field, WireType::bytes);
  if (field.bytes.size() > kMaxPieceBytes) {
    reader.fail(field.offset,
                "a piece of " + std::to_string(field.bytes.size()) + " bytes; the limit is " +
                    std::to_string(kMaxPieceBytes));
  }
  if (!is_utf8(field.bytes) || field.bytes.find('\0') != std::string_view::npos) {
    reader.fail(field.offset, "a piece is not UTF-8 or has a NUL: \"" + printable(field.bytes) + "\"");
  }
  return std::string(field.bytes);
}

uint64_t number_of(
    const ProtoReader& reader, const ProtoField& field, uint64_t least, uint64_t most, const char* what) {
  reader.expect(field, WireType::varint);
  if (field.value < least || field.value > most) {
    reader.fail(field.offset, "unknown " + std::string(what) + " " + std::to_string(field.value));
  }
  return field.value;
}

SentencePiece read_piece(ProtoReader reader, size_t offset) {
  SentencePiece piece;
  Once once;
  for (ProtoField field; reader.next(field);) {
    once(reader, field);
    if (field.number == piece_field::text) {
      piece.text = text_of(reader, field);
    } else if (field.number == piece_field::score) {
      reader.expect(field, WireType::fixed32);
      const auto bits = static_cast<uint32_t>(field.value);
      std::memcpy(&piece.score, &bits, sizeof bits);
    } else if (field.number == piece_field::type) {
      piece.type = static_cast<PieceType>(number_of(reader, field, 1, 6, "piece type"));
    }
  }
  if (piece.text.empty()) {
    reader.fail(offset, "a piece is empty");
  }
  if (!std::isfinite(piece.score)) {
    reader.fail(offset, "the score of piece \"" + printable(piece.text) + "\" is not finite");
  }
  return piece;
}

void read_trainer(ProtoReader reader, SentencePieceModel& model) {
  // Repeated lists of the trainer's inputs are legal and not acted upon.
  Once once;
  for (ProtoField field; reader.next(field);) {
    switch (field.number) {
      case trainer_field::algorithm:
        once(reader, field);
        model.algorithm =
            static_cast<SentencePieceModel::Algorithm>(number_of(reader, field, 1, 4, "model type"));
        break;
      case trainer_field::byte_fallback:
        once(reader, field);
        model.byte_fallback = number_of(reader, field, 0, 1, "truth value") == 1;
        break;
      case trainer_field::spaces_behind:
        once(reader, field);
        model.puts_spaces_behind = number_of(reader, field, 0, 1, "truth value") == 1;
        break;
      case trainer_field::unk_piece:
        once(reader, field);
        text_of(reader, field);
        break;
      case trainer_field::bos_piece:
        once(reader, field);
        model.bos_piece = text_of(reader, field);
        break;
      case trainer_field::eos_piece:
        once(reader, field);
        model.eos_piece = text_of(reader, field);
        break;
      case trainer_field::pad_piece:
        once(reader, field);
        model.pad_piece = text_of(reader, field);
        break;
      default:
        break;
    }
  }
}

// `model`: null for what is undone by decoding, which nobody does here.
void read_normalizer(ProtoReader reader, SentencePieceModel* model) {
  Once once;
  const auto flag_of = [&](uint32_t number) -> bool* {
    return model == nullptr                            ? nullptr
           : number == normalizer_field::dummy_prefix  ? &model->adds_dummy_prefix
           : number == normalizer_field::extra_spaces  ? &model->removes_extra_spaces
           : number == normalizer_field::marked_spaces ? &model->marks_spaces
                                                       : nullptr;
  };
  for (ProtoField field; reader.next(field);) {
    once(reader, field);
    if (field.number == normalizer_field::charsmap) {
      reader.expect(field, WireType::bytes);
      if (const std::string fault = charsmap_fault(field.bytes); !fault.empty()) {
        reader.fail(field.offset, "the normalization rules are damaged: " + fault);
      }
    } else {
      const bool is_text = field.number == normalizer_field::name || field.number == normalizer_field::rules;
      reader.expect(field, is_text ? WireType::bytes : WireType::varint);
      if (bool* flag = flag_of(field.number); flag != nullptr) {
        *flag = field.value != 0;
      }
    }
  }
}

// The byte that a piece <0x00> .. <0xFF> stands for.
std::optional<unsigned> byte_of(const std::string& piece) {
  static constexpr std::string_view kDigits = "0123456789ABCDEF";
  const bool shaped = piece.size() == 6 && piece.starts_with("<0x") && piece.ends_with('>');
  const size_t high = shaped ? kDigits.find(piece[3]) : std::string::npos;
  const size_t low = shaped ? kDigits.find(piece[4]) : std::string::npos;
  if (high == std::string::npos || low == std::string::npos) {
    return std::nullopt;
  }
  return static_cast<unsigned>(high * 16 + low);
}

// What must hold for the pieces together.
void check_pieces(SentencePieceModel& model, const std::string& name) {
  std::unordered_map<std::string_view, size_t> first;
  std::bitset<256> bytes;
  std::optional<size_t> unknown;
  bool any_normal = false;
  for (size_t id = 0; id < model.pieces.size(); ++id) {
    const SentencePiece& piece = model.pieces[id];
    const auto refuse = [&](const std::string& why) {
      throw InputError(Location{name},
                       "piece " + std::to_string(id) + " \"" + printable(piece.text) + "\" " + why);
    };
    if (const auto [entry, is_new] = first.emplace(piece.text, id); !is_new) {
      refuse("is the same as piece " + std::to_string(entry->second));
    }
    any_normal = any_normal || piece.type == PieceType::normal;
    if (piece.type == PieceType::unknown) {
      if (unknown) {
        refuse("is a second unknown piece; piece " + std::to_string(*unknown) + " is the first");
      }
      unknown = id;
    }
    if (piece.type == PieceType::byte) {
      const std::optional<unsigned> byte = byte_of(piece.text);
      if (!model.byte_fallback || !byte) {
        refuse((byte ? "is a byte, but the model does not fall back to bytes"
                     : "is not a byte <0x00> .. <0xFF>"));
      }
      bytes.set(*byte);
    }
  }
  if (!unknown) {
    throw InputError(Location{name}, "has no unknown piece");
  }
  if (!any_normal) {
    throw InputError(Location{name}, "has no normal piece");
  }
  if (model.byte_fallback && !bytes.all()) {
    throw InputError(
        Location{name},
        "falls back to bytes but has only " + std::to_string(bytes.count()) + " of the 256 byte pieces");
  }
  model.unknown_id = static_cast<int64_t>(*unknown);
}

}  // namespace

SentencePieceModel validate_sentencepiece_model(std::span<const std::byte> bytes, const std::string& name) {
  if (bytes.size() > kMaxModelBytes) {
    throw InputError(Location{name},
                     "has " + human_bytes(bytes.size()) + "; the limit is " + human_bytes(kMaxModelBytes));
  }
  SentencePieceModel model;
  ProtoReader reader({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, 0, name);
  Once once;
  for (ProtoField field; reader.next(field);) {
    reader.expect(field, WireType::bytes);
    if (field.number == model_field::pieces) {
      if (model.pieces.size() >= kMaxPieces) {
        reader.fail(field.offset, "over " + std::to_string(kMaxPieces) + " pieces");
      }
      model.pieces.push_back(read_piece(reader.inside(field), field.offset));
      continue;
    }
    once(reader, field);
    if (field.number == model_field::trainer) {
      read_trainer(reader.inside(field), model);
    } else if (field.number == model_field::normalizer || field.number == model_field::denormalizer) {
      read_normalizer(reader.inside(field), field.number == model_field::normalizer ? &model : nullptr);
    } else if (field.number != model_field::self_test) {
      reader.fail(field.offset, "a SentencePiece model has no field " + std::to_string(field.number));
    }
  }
  check_pieces(model, name);
  return model;
}

}  // namespace lmzoo
