// The likeliest segmentation under independent pieces (Kudo 2018): Viterbi over the word, log probabilities
// in double, a character without a piece at a fixed distance below the worst one.
#include <algorithm>
#include <cstdio>

#include "base/utf8.h"
#include "tokenizer/published/pieces/model.h"
#include "tokenizer/published/unicode/unicode.h"

namespace lmzoo::huggingface {
namespace {

constexpr double kUnknownPenalty = 10;
constexpr uint32_t kNowhere = UINT32_MAX;

class Unigram final : public PieceModel {
 public:
  Unigram(PieceTable pieces, std::vector<double> scores, PieceId unknown, bool byte_fallback)
      : PieceModel(std::move(pieces)), scores_(std::move(scores)), unknown_(unknown) {
    unknown_score_ = *std::min_element(scores_.begin(), scores_.end()) - kUnknownPenalty;
    size_t bytes = 0;
    for (PieceId id = 0; id < pieces_.ids(); ++id) {
      bytes += pieces_.text(id).size();
    }
    trie_.reserve(bytes / 2);
    for (PieceId id = 0; id < pieces_.ids(); ++id) {
      trie_.add(pieces_.text(id), id);
    }
    for (int byte = 0; byte < 256 && byte_fallback; ++byte) {
      char name[8];
      std::snprintf(name, sizeof name, "<0x%02X>", byte);
      bytes_.push_back(pieces_.find(name));
    }
  }

  void encode(std::string_view word, Scratch& scratch, std::vector<Token>& out) const override {
    find_best(word, scratch);
    const size_t first = out.size();
    // From the end; neighbors that are unknown become one.
    for (auto end = static_cast<uint32_t>(word.size()); end > 0;) {
      const Scratch::Best& best = scratch.best[end];
      if (best.id == unknown_ && out.size() > first && out.back().id == unknown_ && out.back().begin == end) {
        out.back().begin = best.begin;
      } else {
        out.push_back({best.id, best.begin, end});
      }
      end = best.begin;
    }
    std::reverse(out.begin() + static_cast<std::ptrdiff_t>(first), out.end());
    if (!bytes_.empty()) {
      spell_unknown(word, first, scratch, out);
    }
  }

  std::string_view name() const override { return "unigram"; }
  PieceId unknown() const override { return unknown_; }
  void hide(PieceId id) override { trie_.add(pieces_.text(id), kNoPiece); }

 private:
  void find_best(std::string_view word, Scratch& scratch) const {
    scratch.best.assign(word.size() + 1, {0, kNowhere, kNoPiece});
    for (size_t at = 0; at < word.size();) {
      const double score = scratch.best[at].score;
      size_t next = at;
      next_code_point(word, next);
      bool has_character = false;
      PieceTrie::Node node = PieceTrie::kRoot;
      for (size_t end = at; end < word.size();) {
        node = trie_.next(node, word[end++]);
        if (node == PieceTrie::kNowhere) {
          break;
        }
        const PieceId id = trie_.value(node);
        if (id != kNoPiece) {
          offer(scratch.best[end], score + scores_[id], at, id);
          has_character = has_character || end == next;
        }
      }
      if (!has_character) {
        offer(scratch.best[next], score + unknown_score_, at, unknown_);
      }
      at = next;
    }
  }

  static void offer(Scratch::Best& best, double score, size_t begin, PieceId id) {
    if (best.begin == kNowhere || score > best.score) {
      best = {score, static_cast<uint32_t>(begin), id};
    }
  }

  // Writes what is unknown as its bytes, each with the place of all of it, if all these bytes have a piece.
  void spell_unknown(std::string_view word, size_t first, Scratch& scratch, std::vector<Token>& out) const {
    scratch.tokens.assign(out.begin() + static_cast<std::ptrdiff_t>(first), out.end());
    out.resize(first);
    for (const Token& token : scratch.tokens) {
      const std::string_view text = word.substr(token.begin, token.end - token.begin);
      const bool known = std::all_of(text.begin(), text.end(), [this](char byte) {
        return bytes_[static_cast<unsigned char>(byte)] != kNoPiece;
      });
      if (token.id != unknown_ || !known || text == pieces_.text(unknown_)) {
        out.push_back(token);
        continue;
      }
      for (const char byte : text) {
        out.push_back({bytes_[static_cast<unsigned char>(byte)], token.begin, token.end});
      }
    }
  }

  std::vector<double> scores_;
  PieceId unknown_;
  double unknown_score_ = 0;
  std::vector<PieceId> bytes_;  // of byte fall-back; empty without it
  PieceTrie trie_;
};

}  // namespace

std::unique_ptr<PieceModel> read_unigram(const JsonPart& part) {
  constexpr double kLargestScore = 1e9;
  part.only({"type", "unk_id", "vocab", "byte_fallback"});
  const JsonPart vocabulary = part.at("vocab");
  vocabulary.require(vocabulary.json().is_array() && !vocabulary.json().empty(),
                     "must be a list of [piece, score]");
  PieceTable pieces;
  std::vector<double> scores;
  pieces.reserve(vocabulary.json().size());
  for (const Json& entry : vocabulary.json()) {
    const size_t id = scores.size();
    const bool fine = entry.is_array() && entry.size() == 2 && entry[0].is_string() && entry[1].is_number();
    vocabulary.require(fine, "entry {} must be [piece, score]", id);
    const auto text = entry[0].get<std::string>();
    const auto score = entry[1].get<double>();
    vocabulary.require(score >= -kLargestScore && score <= kLargestScore,
                       "\"{}\": the score must be a number within ±1e9",
                       printable(text));
    vocabulary.require(pieces.add(text, static_cast<PieceId>(id)), "\"{}\" is given twice", printable(text));
    scores.push_back(score);
  }
  // A pipeline without it could not encode what it does not know.
  const auto unknown = part.at("unk_id").as_natural(std::ssize(scores) - 1);
  return std::make_unique<Unigram>(std::move(pieces),
                                   std::move(scores),
                                   static_cast<PieceId>(unknown),
                                   part.flag_or("byte_fallback", false));
}

}  // namespace lmzoo::huggingface
