// The models of a pipeline: a word to pieces. WordPiece takes the longest piece again and again, BPE merges
// by rank, Unigram finds the likeliest segmentation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/published/pieces/piece_table.h"
#include "tokenizer/published/read/json_part.h"

namespace lmzoo::huggingface {

// A piece with its bytes in the word.
struct Token {
  PieceId id = kNoPiece;
  uint32_t begin = 0;
  uint32_t end = 0;
};

// What encoding needs besides the model, kept from word to word so that nothing is allocated; one a thread.
struct Scratch {
  struct Symbol {
    PieceId id;
    uint32_t length;  // bytes; 0: merged into the one before
    int32_t before, after;
  };
  struct Merge {
    uint32_t rank;
    uint32_t position;
    PieceId result;
  };
  struct Best {
    double score;
    uint32_t begin;  // kNowhere: not reached yet
    PieceId id;
  };
  std::vector<Symbol> symbols{};
  std::vector<Merge> merges{};
  std::vector<Best> best{};
  std::vector<Token> tokens{};
  std::string text{};
};

class PieceModel {
 public:
  virtual ~PieceModel() = default;

  // Appends the pieces of a word that is not empty.
  virtual void encode(std::string_view word, Scratch& scratch, std::vector<Token>& out) const = 0;
  virtual std::string_view name() const = 0;  // "wordpiece", "bpe", "unigram"
  // The piece for what is unknown; kNoPiece when the model has none.
  virtual PieceId unknown() const = 0;
  // From now on encode() does not give this id for text: it is a special token's.
  virtual void hide(PieceId id) = 0;

  const PieceTable& pieces() const { return pieces_; }

 protected:
  explicit PieceModel(PieceTable pieces) : pieces_(std::move(pieces)) {}
  PieceTable pieces_;
};

// The section `model` of a tokenizer.json. Refuses what is not understood, duplicate ids and pieces, ids far
// beyond the number of pieces, merges that name unknown pieces, and scores that are no numbers.
std::unique_ptr<PieceModel> read_model(const JsonPart& part);

// Parts of it.
std::unique_ptr<PieceModel> read_word_piece(const JsonPart& part);
std::unique_ptr<PieceModel> read_bpe(const JsonPart& part);
std::unique_ptr<PieceModel> read_unigram(const JsonPart& part);
// {"piece": id, ...}
PieceTable read_vocabulary(const JsonPart& part);

}  // namespace lmzoo::huggingface
