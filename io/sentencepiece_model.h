// A SentencePiece `.model` (a protobuf) checked before libsentencepiece, which trusts it, sees it.
//
// libsentencepiece crashes on altered files: it follows trie offsets without bounds, keeps at most 32 matches
// on the stack but reads all it counted, recurses once a byte of a piece, and reads normalized strings to the
// next NUL. This reader walks the protobuf itself and refuses everything that could lead there, and every
// ambiguity (a singular field given twice, an unknown piece type) in which the two readers could see
// different models.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace lmzoo {

enum class PieceType { normal = 1, unknown = 2, control = 3, user_defined = 4, unused = 5, byte = 6 };

struct SentencePiece {
  std::string text;
  float score = 0;
  PieceType type = PieceType::normal;
};

struct SentencePieceModel {
  enum class Algorithm { unigram = 1, bpe = 2, word = 3, character = 4 };

  Algorithm algorithm = Algorithm::unigram;
  std::vector<SentencePiece> pieces;  // by id
  int64_t unknown_id = 0;             // the one piece of type unknown
  bool byte_fallback = false;
  // What becomes of spaces in a text.
  bool adds_dummy_prefix = true;     // one before the text
  bool removes_extra_spaces = true;  // none at the ends, single ones between
  bool marks_spaces = true;          // escape_whitespaces: a space is ▁ in a piece
  bool puts_spaces_behind = false;   // treat_whitespace_as_suffix: "word▁"
  // As the trainer was told; the ids are looked up by piece, as libsentencepiece does.
  std::string bos_piece = "<s>";
  std::string eos_piece = "</s>";
  std::string pad_piece = "<pad>";
};

// `name` is only for messages. Throws InputError saying what is wrong and at which byte or piece.
SentencePieceModel validate_sentencepiece_model(std::span<const std::byte> bytes, const std::string& name);

}  // namespace lmzoo
