// The added tokens of a folder by the rule of transformers 5.23: those of tokenizer.json, then of added_tokens_decoder or
// added_tokens.json by their ids, then the named ones, then all other special tokens. A token that is a piece has the
// piece's id, every other one the next that is free.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "tokenizer/published/read/kinds.h"

namespace lmzoo::huggingface {

class TokenList {
 public:
  // Takes the pieces of tokenizer["model"]["vocab"], and tokenizer["added_tokens"] where there are any.
  TokenList(const Json& tokenizer, const std::string& file);

  // Replaces the flags of a token that is known. `wanted`: the id that a file gives; InputError naming `place` when it
  // would get another one.
  void add(AddedToken token, std::optional<int64_t> wanted = std::nullopt, const std::string& place = "");
  bool has(const std::string& content) const { return places_.contains(content); }
  // Of a piece or of an added token.
  std::optional<int64_t> id_of(const std::string& content) const;
  Json to_json() const;  // by id

 private:
  int64_t next_id() const;

  int64_t count_ = 0;  // of the pieces, with any that come twice
  std::unordered_map<std::string, int64_t> pieces_;
  std::unordered_map<int64_t, std::string> ids_;  // of the pieces
  std::unordered_map<std::string, size_t> places_;
  std::vector<AddedToken> tokens_;
  int64_t largest_ = -1;  // id of an added token
};

// The whole rule. `own`: the tokens of a tokenizer.json whose other parts the kind makes anew.
void add_tokens(TokenList& list,
                const FolderHints& hints,
                const std::vector<NamedToken>& named,
                const std::optional<JsonPart>& own);

}  // namespace lmzoo::huggingface
