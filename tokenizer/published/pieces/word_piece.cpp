// Greedy longest match (Wu et al. 2016): pieces inside of a word are written with a prefix, "##".
#include "base/utf8.h"
#include "tokenizer/published/pieces/model.h"
#include "tokenizer/published/unicode/unicode.h"

namespace lmzoo::huggingface {
namespace {

class WordPiece final : public PieceModel {
 public:
  struct Options {
    std::string prefix = "##";
    size_t longest_word = 100;  // characters; what is longer is unknown
  };

  WordPiece(PieceTable pieces, PieceId unknown, Options options)
      : PieceModel(std::move(pieces)), options_(std::move(options)), unknown_(unknown) {
    for (PieceId id = 0; id < pieces_.ids(); ++id) {
      if (pieces_.has(id)) {
        trie_.add(pieces_.text(id), id);
      }
    }
    inside_ = trie_.walk(options_.prefix);
  }

  void encode(std::string_view word, Scratch&, std::vector<Token>& out) const override {
    const size_t first = out.size();
    const auto length = static_cast<uint32_t>(word.size());
    const bool too_long = length > options_.longest_word && count_code_points(word) > options_.longest_word;
    for (uint32_t at = 0; at < length && !too_long;) {
      const auto match = at == 0                          ? trie_.longest(word, 0)
                         : inside_ == PieceTrie::kNowhere ? PieceTrie::Match{}
                                                          : trie_.longest(word, at, inside_);
      if (match.length == 0) {
        out.resize(first);
        break;
      }
      out.push_back({match.id, at, at + static_cast<uint32_t>(match.length)});
      at += static_cast<uint32_t>(match.length);
    }
    if (out.size() == first) {
      out.push_back({unknown_, 0, length});
    }
  }

  std::string_view name() const override { return "wordpiece"; }
  PieceId unknown() const override { return unknown_; }
  void hide(PieceId id) override { trie_.add(pieces_.text(id), kNoPiece); }

 private:
  Options options_;
  PieceId unknown_;
  PieceTrie trie_;
  PieceTrie::Node inside_ = PieceTrie::kNowhere;  // behind the prefix
};

}  // namespace

std::unique_ptr<PieceModel> read_word_piece(const JsonPart& part) {
  constexpr int64_t kLongestWord = 1'000'000;
  part.only({"type", "unk_token", "continuing_subword_prefix", "max_input_chars_per_word", "vocab"});
  WordPiece::Options options{
      .prefix = part.text_or("continuing_subword_prefix", "##"),
      .longest_word = static_cast<size_t>(part.natural_or("max_input_chars_per_word", 100, kLongestWord))};
  PieceTable pieces = read_vocabulary(part.at("vocab"));
  const std::string unknown = part.text_or("unk_token", "[UNK]");
  const PieceId id = pieces.find(unknown);
  part.require(id != kNoPiece, "unk_token \"{}\" is not in vocab", printable(unknown));
  return std::make_unique<WordPiece>(std::move(pieces), id, std::move(options));
}

}  // namespace lmzoo::huggingface
