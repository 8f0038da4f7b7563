#include "tokenizer/published/stages/added_tokens.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/utf8.h"

namespace lmzoo::huggingface {
namespace {

constexpr size_t kMostTokens = 1 << 20;
constexpr size_t kLongestToken = 4096;  // bytes

bool touches_word(std::string_view text, Range range) {
  return (range.begin > 0 && is_word(code_point_of(text, previous(text, range.begin)))) ||
         (range.end < text.size() && is_word(code_point_of(text, range.end)));
}

size_t spaces_before(std::string_view text, size_t at) {
  while (at > 0) {
    const size_t last = previous(text, at);
    if (!is_space(code_point_of(text, last))) {
      break;
    }
    at = last;
  }
  return at;
}

size_t spaces_behind(std::string_view text, size_t at) {
  while (at < text.size()) {
    size_t next = at;
    if (!is_space(next_code_point(text, next))) {
      break;
    }
    at = next;
  }
  return at;
}

}  // namespace

std::vector<AddedToken> read_added_tokens(const JsonPart& part, const PieceTable& pieces) {
  std::vector<AddedToken> tokens;
  std::set<PieceId> ids;
  std::set<std::string> contents;
  part.require(part.json().is_array() && part.json().size() <= kMostTokens,
               "must be a list of at most {} tokens",
               kMostTokens);
  const int64_t most = 2 * static_cast<int64_t>(pieces.ids() + part.json().size()) + 65'536;
  for (const JsonPart& item : part.items()) {
    item.only({"id", "content", "single_word", "lstrip", "rstrip", "normalized", "special"});
    const bool special = item.flag_or("special", false);
    AddedToken token{.id = static_cast<PieceId>(item.at("id").as_natural(most)),
                     .content = item.text("content"),
                     .single_word = item.flag_or("single_word", false),
                     .lstrip = item.flag_or("lstrip", false),
                     .rstrip = item.flag_or("rstrip", false),
                     .normalized = item.flag_or("normalized", !special),
                     .special = special};
    item.require(!token.content.empty() && token.content.size() <= kLongestToken,
                 "content must have 1 to {} bytes",
                 kLongestToken);
    const std::string name = printable(token.content);
    item.require(ids.insert(token.id).second, "\"{}\": id {} is given twice", name, token.id);
    item.require(contents.insert(token.content).second, "\"{}\" is given twice", name);
    const PieceId piece = pieces.find(token.content);
    item.require(piece == kNoPiece ? !pieces.has(token.id) : piece == token.id,
                 "\"{}\" has id {}{}",
                 name,
                 token.id,
                 piece == kNoPiece ? ", which is a piece's of the model" : ", but another one in the model");
    tokens.push_back(std::move(token));
  }
  return tokens;
}

AddedTokens::AddedTokens(std::vector<AddedToken> tokens,
                         const std::function<std::string(const std::string&)>& normalize)
    : tokens_(std::move(tokens)) {
  // Of two with the same text after normalization the one that comes first counts.
  for (size_t i = tokens_.size(); i-- > 0;) {
    const AddedToken& token = tokens_[i];
    if (token.normalized) {
      normalized_.add(normalize(token.content), i);
    } else {
      raw_.add(token.content, i);
    }
  }
}

const AddedToken* AddedTokens::find(PieceId id) const {
  const auto found =
      std::find_if(tokens_.begin(), tokens_.end(), [id](const AddedToken& token) { return token.id == id; });
  return found == tokens_.end() ? nullptr : &*found;
}

void AddedTokens::Matcher::add(std::string_view text, size_t token) {
  if (!text.empty()) {
    trie.add(text, static_cast<PieceId>(token));
    first_bytes[static_cast<unsigned char>(text.front())] = true;
  }
}

void AddedTokens::Matcher::find(std::string_view text,
                                const std::vector<AddedToken>& tokens,
                                bool specials,
                                std::vector<Found>& out) const {
  size_t done = 0;
  for (size_t at = 0; at < text.size();) {
    if (!first_bytes[static_cast<unsigned char>(text[at])]) {
      ++at;
      continue;
    }
    const PieceTrie::Match match = trie.longest(text, at);
    if (match.length == 0) {
      ++at;
      continue;
    }
    const AddedToken& token = tokens[match.id];
    Range range{at, at + match.length};
    at = range.end;
    if ((token.special && !specials) || (token.single_word && touches_word(text, range))) {
      continue;
    }
    if (token.lstrip) {
      range.begin = std::max(spaces_before(text, range.begin), done);
    }
    if (token.rstrip) {
      range.end = spaces_behind(text, range.end);
    }
    // The one before may have taken the beginning of this one along.
    range.begin = std::max(range.begin, done);
    if (done < range.begin) {
      out.push_back({{done, range.begin}, kNoPiece});
    }
    out.push_back({range, token.id});
    done = range.end;
  }
  if (done < text.size()) {
    out.push_back({{done, text.size()}, kNoPiece});
  }
}

}  // namespace lmzoo::huggingface
