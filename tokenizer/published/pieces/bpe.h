// Byte-pair encoding (Sennrich et al. 2016): of all neighbors that may merge, those of the lowest rank do,
// the leftmost first.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tokenizer/published/pieces/model.h"

namespace lmzoo::huggingface {

struct BpeOptions {
  PieceId unknown = kNoPiece;
  std::string prefix{};        // of a piece inside of a word
  std::string suffix{};        // of a piece at the end of a word: "</w>"
  bool fuse_unknown = false;   // neighbors that are unknown become one
  bool byte_fallback = false;  // what is unknown is spelled with <0x00>...<0xFF>
  bool ignore_merges = false;  // a word that is a piece is that piece
};

class Bpe final : public PieceModel {
 public:
  // A merge of pieces, the first of rank 0.
  struct Pair {
    PieceId left, right, result;
  };

  Bpe(PieceTable pieces, BpeOptions options, const std::vector<Pair>& merges);

  void encode(std::string_view word, Scratch& scratch, std::vector<Token>& out) const override;
  std::string_view name() const override { return "bpe"; }
  PieceId unknown() const override { return options_.unknown; }
  void hide(PieceId id) override;

  struct Rule {
    uint32_t rank = UINT32_MAX;
    PieceId result = kNoPiece;
  };
  // The merge of two pieces; its rank is UINT32_MAX when there is none.
  Rule merge_of(PieceId left, PieceId right) const;
  // The pieces before any merge.
  void split(std::string_view word, Scratch& scratch) const;

 private:
  struct Slot {
    uint64_t pair = 0;
    Rule rule{};
  };
  PieceId find(std::string_view piece) const;
  PieceId symbol_of(std::string_view character, bool is_first, bool is_last, std::string& storage) const;
  bool spell(std::string_view text, std::vector<Scratch::Symbol>& symbols) const;
  void merge_short(std::vector<Scratch::Symbol>& symbols, std::vector<Scratch::Merge>& merges) const;
  void merge_long(Scratch& scratch) const;
  void insert(const Pair& pair, uint32_t rank);

  BpeOptions options_;
  std::vector<bool> hidden_;         // by id
  std::vector<PieceId> bytes_;       // of byte fall-back; empty without it
  std::vector<PieceId> characters_;  // ids of the first code points; empty with a prefix or suffix
  std::vector<Slot> slots_;          // by pair, a power of two
};

}  // namespace lmzoo::huggingface
