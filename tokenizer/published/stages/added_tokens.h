// Tokens that stand beside a model's pieces: found in the text before the model sees it, some of them
// special.
//
// Those that are not `normalized` are looked for in the text as it came, the others in what the normalizer
// made of it; always the leftmost one, of several there the longest.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/published/pieces/piece_table.h"
#include "tokenizer/published/read/json_part.h"
#include "tokenizer/published/unicode/aligned_text.h"

namespace lmzoo::huggingface {

struct AddedToken {
  PieceId id = kNoPiece;
  std::string content{};
  bool single_word = false;  // only where no letter or digit touches it
  bool lstrip = false;       // takes the white space before it along
  bool rstrip = false;       // and behind it
  bool normalized = false;
  bool special = false;

  bool operator==(const AddedToken&) const = default;
};

// The list "added_tokens" of a tokenizer.json. `pieces`: of the model; a token that is a piece must have its
// id.
std::vector<AddedToken> read_added_tokens(const JsonPart& part, const PieceTable& pieces);

// A stretch of text and the token that it is; kNoPiece for text.
struct Found {
  Range range;
  PieceId id = kNoPiece;
};

class AddedTokens {
 public:
  AddedTokens() = default;
  // `normalize`: what the pipeline's normalizer makes of a text.
  AddedTokens(std::vector<AddedToken> tokens,
              const std::function<std::string(const std::string&)>& normalize);

  const std::vector<AddedToken>& tokens() const { return tokens_; }
  const AddedToken* find(PieceId id) const;

  // Cuts the text in what is a token and what is not; one stretch without an id when there is none. Without
  // `specials` the names of special tokens are text.
  void find_raw(std::string_view text, bool specials, std::vector<Found>& out) const {
    raw_.find(text, tokens_, specials, out);
  }
  void find_normalized(std::string_view text, bool specials, std::vector<Found>& out) const {
    normalized_.find(text, tokens_, specials, out);
  }

 private:
  struct Matcher {
    PieceTrie trie;  // the values are positions in the list of tokens
    bool first_bytes[256] = {};
    void add(std::string_view text, size_t token);
    void find(std::string_view text,
              const std::vector<AddedToken>& tokens,
              bool specials,
              std::vector<Found>& out) const;
  };

  std::vector<AddedToken> tokens_;
  Matcher raw_;
  Matcher normalized_;
};

}  // namespace lmzoo::huggingface
